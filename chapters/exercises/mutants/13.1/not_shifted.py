# expect: one text
# means: What is read and what is said stand at the same place: what is said is one word ahead.
import numpy as np


def teacher_forcing(texts, start, end, pad):
    longest = max(len(text) for text in texts) + 1
    read = np.full((len(texts), longest), pad)
    say = np.full((len(texts), longest), -100)
    for row, text in enumerate(texts):
        read[row, : len(text) + 1] = [start, *text]
        say[row, : len(text) + 1] = [start, *text]
    return read, say
