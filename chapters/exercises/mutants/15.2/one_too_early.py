# expect: an answer of one token
# means: It was begun one token too early: the question's last token was counted.
import numpy as np


def answer_log_prob(log_p, tokens, begin):
    tokens = np.asarray(tokens)
    places = np.arange(max(1, begin - 1), len(tokens))
    return float(log_p[places - 1, tokens[places]].sum())
