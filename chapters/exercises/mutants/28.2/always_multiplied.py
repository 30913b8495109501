# expect: a logit above 0 is divided
# means: Logits above 0 are multiplied too: they rise, and the word becomes likelier.


def penalized(logits, text, penalty):
    out = logits.copy()
    for word in set(text):
        out[word] = logits[word] * penalty
    return out
