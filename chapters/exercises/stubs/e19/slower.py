"""19.3  Clocks that go slower.

RoPE turns pair i of a head of size K by base^(-2i/K) at each position: pair 0 is the fastest of its K / 2 clocks, the
last one the slowest. To read texts s times as long as those of the training, interpolation lets all of them go s times
as slowly. NTK takes a larger base: with it

    the fastest pair turns as before,
    the slowest one s times as slowly,

and those between by something between.

    ntk_frequencies(head_size, base, factor)    -> (K / 2,) how far each pair turns at a position

head_size is K, an even number of at least 4; factor is s.
"""

import numpy as np
from tinygrad_llm.course import Todo


def ntk_frequencies(head_size, base, factor):
    raise Todo("which base makes the slowest pair s times as slow?")
