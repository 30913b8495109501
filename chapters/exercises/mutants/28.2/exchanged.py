# expect: a logit above 0 is divided
# means: The two cases are exchanged: words that came become likelier.


def penalized(logits, text, penalty):
    out = logits.copy()
    for word in set(text):
        out[word] = logits[word] * penalty if logits[word] > 0 else logits[word] / penalty
    return out
