"""29.2  The best of n, without drawing.

A model gives C answers the probabilities p (C,), and a scorer gives each a reward (C,). Somebody draws n answers, and
keeps the one with the largest reward; of equals the one that was drawn first. How probable is each answer to be kept?

An answer may be drawn more than once. All that is drawn is worth at most r with probability F(r)^n, where F(r) is the
probability that a single answer is worth at most r. Answers of one reward share what falls to that reward, each by its
own probability.
"""

import numpy as np
from tinygrad_llm.course import Todo


def best_of_n_probabilities(probabilities, rewards, n):
    raise Todo("(C,), which sums to 1")
