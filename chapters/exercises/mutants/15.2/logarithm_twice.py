# expect: an answer of one token
# means: The logarithm was taken of logarithms: log_p holds them already.
import numpy as np


def answer_log_prob(log_p, tokens, begin):
    tokens = np.asarray(tokens)
    places = np.arange(begin, len(tokens))
    return float(np.log(log_p[places - 1, tokens[places]]).sum())
