# expect: the second round begins where the first ended
# means: The old power is multiplied by the new one: the formula replaces it.
import numpy as np


def strengths(wins, rounds):
    games, power = wins + wins.T, np.ones(len(wins))
    for _ in range(rounds):
        power = power * wins.sum(1) / (games / (power[:, None] + power)).sum(1)
        power = power / np.exp(np.log(power).mean())
    return np.log(power)
