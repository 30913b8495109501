# expect: three wins of four are odds of three to one
# means: Below stand the wins of i over j, and not the games of the two.
import numpy as np


def strengths(wins, rounds):
    power = np.ones(len(wins))
    for _ in range(rounds):
        power = wins.sum(1) / (wins / (power[:, None] + power)).sum(1)
        power = power / np.exp(np.log(power).mean())
    return np.log(power)
