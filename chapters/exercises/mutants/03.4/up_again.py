# expect: at the end and after it is final
# means: After the last step the cosine goes on, and up again.
import math


def rate(step, lr, total, warmup=0, final=0.0):
    if step < warmup:
        return lr * step / warmup
    return final + (lr - final) * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup))) / 2
