# expect: a shorter text is filled up
# means: `pad` stands in what is said: -100 belongs there, which no loss counts.
import numpy as np


def teacher_forcing(texts, start, end, pad):
    longest = max(len(text) for text in texts) + 1
    read = np.full((len(texts), longest), pad)
    say = np.full((len(texts), longest), pad)
    for row, text in enumerate(texts):
        read[row, : len(text) + 1] = [start, *text]
        say[row, : len(text) + 1] = [*text, end]
    return read, say
