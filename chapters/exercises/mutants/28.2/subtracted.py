# expect: a logit above 0 is divided
# means: The penalty is subtracted: that is what a presence penalty does.


def penalized(logits, text, penalty):
    out = logits.copy()
    for word in set(text):
        out[word] = logits[word] - penalty
    return out
