"""15.2  The likelier answer.

A language model that is asked a question with several answers need not write anything. One asks how likely it finds
each answer behind the question, and takes the likeliest. The probability of a text is the product of the probabilities
of its tokens, each given all before it; so its logarithm is a sum. (For a long text the product itself is too small for
a computer: it becomes 0, and every long answer would be as likely as every other.)

`log_p` (T, V): row t holds the logarithms of the probabilities of the token that comes *after* token t, as a GPT gives
them. `tokens` (T,) is the question and, from place `begin` on, the answer. Return the logarithm of the probability of
the answer, given the question: a number, 0 or below. `begin` is at least 1: something is asked.
"""

import numpy as np


def answer_log_prob(log_p, tokens, begin):
    # >>> a number
    tokens = np.asarray(tokens)
    places = np.arange(begin, len(tokens))
    return float(log_p[places - 1, tokens[places]].sum())
    # <<<
