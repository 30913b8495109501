# expect: an answer of one token
# means: The probability was returned, and not its logarithm.
import numpy as np


def answer_log_prob(log_p, tokens, begin):
    tokens = np.asarray(tokens)
    places = np.arange(begin, len(tokens))
    return float(np.exp(log_p[places - 1, tokens[places]].sum()))
