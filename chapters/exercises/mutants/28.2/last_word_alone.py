# expect: a word that came often is penalized once
# means: Only the last word of the text is penalized.


def penalized(logits, text, penalty):
    out = logits.copy()
    for word in text[-1:]:
        out[word] = logits[word] / penalty if logits[word] > 0 else logits[word] * penalty
    return out
