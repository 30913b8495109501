"""22.1  A layer with LoRA beside it.

    first_matrices(outputs, inputs, r, rng)              -> A (r, I), B (O, r)
    lora_linear(x, weight, bias, A, B, alpha, keep=None)    (..., I) -> (..., O)

The layer alone gives W x + b, with W (O, I) and b (O,). LoRA adds (alpha / r) B A x, where r is the rank: B A is as
large as W, and made of few numbers.

At first nothing may be added. And yet both matrices have to be able to learn: so one of them is zero, B, and A is drawn
uniformly from -1/sqrt(I) to 1/sqrt(I) by `rng.uniform`.

`keep`, if it is given, is dropout's mask: it has the shape of x and is 0 where a number is dropped, 1 / (1 - rate)
elsewhere. It concerns what A reads, and nothing else.
"""

import numpy as np
from tinygrad_llm.course import Todo


def first_matrices(outputs, inputs, r, rng):
    raise Todo("A, B")


def lora_linear(x, weight, bias, A, B, alpha, keep=None):
    raise Todo("(..., O)")
