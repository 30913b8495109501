# expect: probabilities of an answer are multiplied
# means: The mean over the tokens was returned: the logarithm of a product is the sum.
import numpy as np


def answer_log_prob(log_p, tokens, begin):
    tokens = np.asarray(tokens)
    places = np.arange(begin, len(tokens))
    return float(log_p[places - 1, tokens[places]].mean()) if len(places) else 0.0
