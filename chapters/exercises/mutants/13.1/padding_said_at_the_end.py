# expect: a shorter text is filled up
# means: The end stands in the last place of the row, and not right behind its text.
import numpy as np


def teacher_forcing(texts, start, end, pad):
    longest = max(len(text) for text in texts) + 1
    read = np.full((len(texts), longest), pad)
    say = np.full((len(texts), longest), -100)
    for row, text in enumerate(texts):
        read[row, : len(text) + 1] = [start, *text]
        say[row, : len(text)] = text
        say[row, -1] = end
    return read, say
