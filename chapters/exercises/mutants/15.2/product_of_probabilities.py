# expect: a long answer has a logarithm
# means: The probabilities were multiplied before the logarithm was taken: of a long text the product becomes 0.
import numpy as np


def answer_log_prob(log_p, tokens, begin):
    tokens = np.asarray(tokens)
    places = np.arange(begin, len(tokens))
    return float(np.log(np.prod(np.exp(log_p[places - 1, tokens[places]]))))
