"""03.4  Warm-up and cosine.

`rate(step, lr, total, warmup, final)`: the learning rate at `step`, counted from 0.

    step < warmup         lr · step / warmup: a straight rise from 0
    warmup … total        half a cosine from lr down to final: final + (lr - final) · (1 + cos(pi · s)) / 2,
                          s the share of the way from warmup to total
    after total           final
"""

import math
from tinygrad_llm.course import Todo


def rate(step, lr, total, warmup=0, final=0.0):
    raise Todo("a number")
