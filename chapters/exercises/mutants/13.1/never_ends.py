# expect: one text
# means: The end is never said: a text of n words takes n + 1 places.
import numpy as np


def teacher_forcing(texts, start, end, pad):
    longest = max(len(text) for text in texts)
    read = np.full((len(texts), longest), pad)
    say = np.full((len(texts), longest), -100)
    for row, text in enumerate(texts):
        read[row, : len(text)] = [start, *text][: len(text)]
        say[row, : len(text)] = text
    return read, say
