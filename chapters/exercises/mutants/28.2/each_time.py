# expect: a word that came often is penalized once
# means: A word is penalized once for each time that it came.


def penalized(logits, text, penalty):
    out = logits.copy()
    for word in text:
        out[word] = out[word] / penalty if out[word] > 0 else out[word] * penalty
    return out
