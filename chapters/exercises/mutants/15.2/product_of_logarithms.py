# expect: probabilities of an answer are multiplied
# means: The logarithms were multiplied: probabilities are, and logarithms are added up.
import numpy as np


def answer_log_prob(log_p, tokens, begin):
    tokens = np.asarray(tokens)
    places = np.arange(begin, len(tokens))
    return float(np.prod(log_p[places - 1, tokens[places]]))
