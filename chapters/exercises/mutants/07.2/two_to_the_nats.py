# expect: a fair coin a character
import math


def measures(log_p, text):
    loss = -log_p.mean()
    return loss, 2**loss, -log_p.sum() / math.log(2) / len(text.encode("utf-8"))
