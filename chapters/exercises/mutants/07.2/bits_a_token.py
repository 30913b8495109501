# expect: two characters a token
import math


def measures(log_p, text):
    loss = -log_p.mean()
    return loss, math.exp(loss), loss / math.log(2)
