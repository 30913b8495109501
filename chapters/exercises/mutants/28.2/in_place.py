# expect: Something wrote into the argument
# means: The logits that it was given were written into.


def penalized(logits, text, penalty):
    for word in set(text):
        logits[word] = logits[word] / penalty if logits[word] > 0 else logits[word] * penalty
    return logits
