# expect: a fair coin a character
# means: 2 was raised to the loss, which is in nats: exp belongs to nats.
import math


def measures(log_p, text):
    loss = -log_p.mean()
    return loss, 2**loss, -log_p.sum() / math.log(2) / len(text.encode("utf-8"))
