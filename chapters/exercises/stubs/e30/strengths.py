"""30.4  Bradley and Terry, in circles.

wins (C, C): wins[i, j] is how often player i beat player j; nobody plays against himself. A player of power π_i beats
one of power π_j with probability π_i / (π_i + π_j). The powers that make the games most probable are found by going
round (Hunter, 2004):

    π_i <- (wins of i) / sum over j of (games of i and j) / (π_i + π_j)

for all i at once, from the powers of the round before; then all are divided by their geometric mean, since only their
ratios matter. Begin with ones. Return the logarithms of the powers after so many rounds, (C,).

`strengths(wins, rounds)`
"""

import numpy as np
from tinygrad_llm.course import Todo


def strengths(wins, rounds):
    raise Todo("(C,)")
