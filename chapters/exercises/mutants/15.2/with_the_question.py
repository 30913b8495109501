# expect: an answer of one token
# means: The question's tokens were counted too, from the second on.
import numpy as np


def answer_log_prob(log_p, tokens, begin):
    tokens = np.asarray(tokens)
    places = np.arange(1, len(tokens))
    return float(log_p[places - 1, tokens[places]].sum())
