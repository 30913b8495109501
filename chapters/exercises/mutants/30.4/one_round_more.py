# expect: no round leaves them equal
# means: It goes round once more than it was told to.
import numpy as np


def strengths(wins, rounds):
    games, power = wins + wins.T, np.ones(len(wins))
    for _ in range(rounds + 1):
        power = wins.sum(1) / (games / (power[:, None] + power)).sum(1)
        power = power / np.exp(np.log(power).mean())
    return np.log(power)
