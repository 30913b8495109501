"""13.1  Teacher forcing.

A decoder shall learn to write texts. At every position it reads one token and says the next:

    reads   start  w1  w2  …  wn
    says    w1     w2  …   wn  end

Texts differ in length. Behind its end a text reads `pad`, and what it says there is -100: the loss ignores that.

`teacher_forcing(texts, start, end, pad)` gets lists of token ids and returns two integer arrays (B, T), what is read
and what is said. T has room for the longest text.
"""

import numpy as np

IGNORE = -100


def teacher_forcing(texts, start, end, pad):
    # >>> two arrays of whole numbers
    longest = max(len(text) for text in texts) + 1
    read = np.full((len(texts), longest), pad)
    say = np.full((len(texts), longest), IGNORE)
    for row, text in enumerate(texts):
        read[row, : len(text) + 1] = [start, *text]
        say[row, : len(text) + 1] = [*text, end]
    return read, say
    # <<<
