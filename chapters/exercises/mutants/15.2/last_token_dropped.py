# expect: an answer of one token
# means: The answer's last token was left out.
import numpy as np


def answer_log_prob(log_p, tokens, begin):
    tokens = np.asarray(tokens)
    places = np.arange(begin, len(tokens) - 1)
    return float(log_p[places - 1, tokens[places]].sum())
