# expect: a user says something
# means: The line break stands before the end mark, as if it were part of the content.
import numpy as np

IGNORE = -100
START, END, BREAK = "<|im_start|>", "<|im_end|>", "\n"


def pieces(messages):
    found = []
    for message in messages:
        learned = message["role"] == "assistant"
        found.append((START + message["role"] + BREAK, False))
        found += [(message["content"], learned), (BREAK, False), (END, learned)]
    return found


def shifted(ids, learned):
    return ids[:-1], np.where(learned[1:], ids[1:], IGNORE)
