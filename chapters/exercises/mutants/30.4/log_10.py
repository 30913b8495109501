# expect: three wins of four are odds of three to one
# means: The logarithm is that to base 10, and not the natural one.
import numpy as np


def strengths(wins, rounds):
    games, power = wins + wins.T, np.ones(len(wins))
    for _ in range(rounds):
        power = wins.sum(1) / (games / (power[:, None] + power)).sum(1)
        power = power / np.exp(np.log(power).mean())
    return np.log10(power)
