# expect: probabilities of an answer are multiplied
# means: Every row was taken with every token of the answer: each row has one column that counts.
import numpy as np


def answer_log_prob(log_p, tokens, begin):
    tokens = np.asarray(tokens)
    places = np.arange(begin, len(tokens))
    return float(log_p[places - 1][:, tokens[places]].sum())
