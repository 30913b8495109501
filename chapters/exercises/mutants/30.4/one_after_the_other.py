# expect: one round counted by hand
# means: The players are updated one after the other, each with the others' new powers: here all are, at once.
import numpy as np


def strengths(wins, rounds):
    games, power = wins + wins.T, np.ones(len(wins))
    for _ in range(rounds):
        for i in range(len(wins)):
            power[i] = wins[i].sum() / (games[i] / (power[i] + power)).sum()
        power = power / np.exp(np.log(power).mean())
    return np.log(power)
