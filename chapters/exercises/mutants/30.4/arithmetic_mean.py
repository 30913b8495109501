# expect: three wins of four are odds of three to one
# means: The powers are divided by their arithmetic mean: then the logarithms do not have the mean 0.
import numpy as np


def strengths(wins, rounds):
    games, power = wins + wins.T, np.ones(len(wins))
    for _ in range(rounds):
        power = wins.sum(1) / (games / (power[:, None] + power)).sum(1)
        power = power / power.mean()
    return np.log(power)
