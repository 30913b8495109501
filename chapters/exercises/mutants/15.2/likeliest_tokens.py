# expect: probabilities of an answer are multiplied
# means: A row without its column: the likeliest token's probability was taken, whatever stands there.
import numpy as np


def answer_log_prob(log_p, tokens, begin):
    places = np.arange(begin, len(tokens))
    return float(log_p[places - 1].max(-1).sum())
