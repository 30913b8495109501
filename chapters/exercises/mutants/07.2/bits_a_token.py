# expect: two characters a token
# means: The bits were divided by the number of tokens, and not of bytes.
import math


def measures(log_p, text):
    loss = -log_p.mean()
    return loss, math.exp(loss), loss / math.log(2)
