# expect: the second round begins where the first ended
# means: Who the opponents were is forgotten: every round does the same with powers of 1.
import numpy as np


def strengths(wins, rounds):
    games, power = wins + wins.T, np.ones(len(wins))
    for _ in range(rounds):
        power = wins.sum(1) / (games / 2).sum(1)
        power = power / np.exp(np.log(power).mean())
    return np.log(power)
