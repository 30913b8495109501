# expect: counted by hand
# means: The marks are weighed by the logits themselves. Probabilities are their exponentials, divided by the sum.
def expected_mark(logits, tokens, marks):
    among = logits[:, tokens]
    weights = among
    return weights @ marks / weights.sum(1)
