# expect: a logit above 0 is divided
# means: The first word of the text is not penalized.


def penalized(logits, text, penalty):
    out = logits.copy()
    for word in set(text[1:]):
        out[word] = logits[word] / penalty if logits[word] > 0 else logits[word] * penalty
    return out
