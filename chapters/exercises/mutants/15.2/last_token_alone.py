# expect: probabilities of an answer are multiplied
# means: Only the answer's last token was counted.
import numpy as np


def answer_log_prob(log_p, tokens, begin):
    tokens = np.asarray(tokens)
    places = np.arange(begin, len(tokens))
    return float(log_p[places - 1, tokens[places]][-1:].sum())
