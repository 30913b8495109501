# expect: probabilities of an answer are multiplied
# means: The probabilities were added up, and not multiplied.
import numpy as np


def answer_log_prob(log_p, tokens, begin):
    tokens = np.asarray(tokens)
    places = np.arange(begin, len(tokens))
    return float(np.log(np.exp(log_p[places - 1, tokens[places]]).sum())) if len(places) else 0.0
