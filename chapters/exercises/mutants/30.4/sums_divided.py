# expect: three wins of four are odds of three to one
# means: All games are divided by all sums of powers at once, and not each opponent's games by his own sum.
import numpy as np


def strengths(wins, rounds):
    games, power = wins + wins.T, np.ones(len(wins))
    for _ in range(rounds):
        power = wins.sum(1) / (games.sum(1) / (power[:, None] + power).sum(1))
        power = power / np.exp(np.log(power).mean())
    return np.log(power)
