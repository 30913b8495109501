# expect: at the end of the warm up it is the full rate
# means: The share of the way was counted from step 0, and not from the end of the warm-up.
import math


def rate(step, lr, total, warmup=0, final=0.0):
    if step < warmup:
        return lr * step / warmup
    return final + (lr - final) * (1 + math.cos(math.pi * min(1.0, step / total))) / 2
