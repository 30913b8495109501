# expect: three wins of four are odds of three to one
# means: Above stands how often a player lost: columns and rows are exchanged.
import numpy as np


def strengths(wins, rounds):
    games, power = wins + wins.T, np.ones(len(wins))
    for _ in range(rounds):
        power = wins.sum(0) / (games / (power[:, None] + power)).sum(1)
        power = power / np.exp(np.log(power).mean())
    return np.log(power)
