# expect: three wins of four are odds of three to one
# means: The games are divided by the player's own power twice, and not by the sum of the two.
import numpy as np


def strengths(wins, rounds):
    games, power = wins + wins.T, np.ones(len(wins))
    for _ in range(rounds):
        power = wins.sum(1) / (games / (2 * power[:, None] + 0 * power)).sum(1)
        power = power / np.exp(np.log(power).mean())
    return np.log(power)
