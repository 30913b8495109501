# expect: a logit below 0 falls as well
# means: Logits below 0 are divided too: they rise, and the word becomes likelier.


def penalized(logits, text, penalty):
    out = logits.copy()
    for word in set(text):
        out[word] = logits[word] / penalty
    return out
