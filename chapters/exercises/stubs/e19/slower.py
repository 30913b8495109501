"""19.3  Clocks that go slower.

RoPE turns pair i of a head of size K by base^(-2i/K) at each position: i = 0 is the fastest of its K / 2 clocks, the
last one the slowest. To read texts s times as long as those of the training there are two ways.

    interpolated(head_size, base, factor)    -> (K / 2,) how far each pair turns at each position

if position t counts as t / s: positions between those that were trained.

    ntk_base(head_size, base, factor)        -> a number, another base

with which the fastest pair turns as it did, and the slowest one s times as slowly. K is more than 2.
"""

import numpy as np
from tinygrad_llm.course import Todo


def interpolated(head_size, base, factor):
    raise Todo("every clock")


def ntk_base(head_size, base, factor):
    raise Todo("which base makes the slowest pair s times as slow?")
