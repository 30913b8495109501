# expect: nothing is divided by nothing
# means: The way down has length 0 where the warm-up ends with the run, and it was divided by that.
import math


def rate(step, lr, total, warmup=0, final=0.0):
    if step < warmup:
        return lr * step / warmup
    if step > total:
        return final
    share = (step - warmup) / (total - warmup)
    return final + (lr - final) * (1 + math.cos(math.pi * share)) / 2
