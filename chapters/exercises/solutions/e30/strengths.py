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


def strengths(wins, rounds):
    # >>> (C,)
    games, power = wins + wins.T, np.ones(len(wins))
    for _ in range(rounds):
        power = wins.sum(1) / (games / (power[:, None] + power)).sum(1)
        power = power / np.exp(np.log(power).mean())
    return np.log(power)
    # <<<
