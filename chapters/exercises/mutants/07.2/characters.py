# expect: what is no ascii has more bytes than characters
# means: The bits were divided by the number of characters, and not of bytes.
import math


def measures(log_p, text):
    loss = -log_p.mean()
    return loss, math.exp(loss), -log_p.sum() / math.log(2) / len(text)
