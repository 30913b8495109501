# expect: an answer of one token
# means: The sign was turned: that is the loss, and asked for is the logarithm, 0 or below.
import numpy as np


def answer_log_prob(log_p, tokens, begin):
    tokens = np.asarray(tokens)
    places = np.arange(begin, len(tokens))
    return -float(log_p[places - 1, tokens[places]].sum())
