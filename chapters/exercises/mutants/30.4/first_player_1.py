# expect: three wins of four are odds of three to one
# means: The powers are divided by the first player's, and not by their geometric mean.
import numpy as np


def strengths(wins, rounds):
    games, power = wins + wins.T, np.ones(len(wins))
    for _ in range(rounds):
        power = wins.sum(1) / (games / (power[:, None] + power)).sum(1)
        power = power / power[0]
    return np.log(power)
