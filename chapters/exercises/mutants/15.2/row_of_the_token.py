# expect: an answer of one token
# means: The row of the token itself was taken: it says what comes after it. The one before says how likely it is.
import numpy as np


def answer_log_prob(log_p, tokens, begin):
    tokens = np.asarray(tokens)
    places = np.arange(begin, len(tokens))
    return float(log_p[places, tokens[places]].sum())
