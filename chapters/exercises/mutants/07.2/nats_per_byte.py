# expect: a fair coin a character
# means: These are nats a byte: divide by ln 2 for bits.
import math


def measures(log_p, text):
    loss = -log_p.mean()
    return loss, math.exp(loss), -log_p.sum() / len(text.encode("utf-8"))
