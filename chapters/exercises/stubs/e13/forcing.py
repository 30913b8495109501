"""13.1  Teacher forcing.

A decoder shall learn to write texts. At every position it reads one token and says the next:

    reads   start  w1  w2  …  wn
    says    w1     w2  …   wn  end

Texts differ in length. Behind its end a text reads `pad`, and what it says there is -100: the loss ignores that.

`teacher_forcing(texts, start, end, pad)` gets lists of token ids and returns two integer arrays (B, T), what is read
and what is said. T has room for the longest text.
"""

import numpy as np
from tinygrad_llm.course import Todo

IGNORE = -100


def teacher_forcing(texts, start, end, pad):
    raise Todo("two arrays of whole numbers")
