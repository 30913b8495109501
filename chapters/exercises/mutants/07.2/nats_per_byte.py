# expect: a fair coin a character
import math


def measures(log_p, text):
    loss = -log_p.mean()
    return loss, math.exp(loss), -log_p.sum() / len(text.encode("utf-8"))
