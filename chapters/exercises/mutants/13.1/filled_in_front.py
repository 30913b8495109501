# expect: a shorter text is filled up
# means: The short text was filled up in front, and not behind.
import numpy as np


def teacher_forcing(texts, start, end, pad):
    longest = max(len(text) for text in texts) + 1
    read = np.full((len(texts), longest), pad)
    say = np.full((len(texts), longest), -100)
    for row, text in enumerate(texts):
        read[row, longest - len(text) - 1 :] = [start, *text]
        say[row, longest - len(text) - 1 :] = [*text, end]
    return read, say
