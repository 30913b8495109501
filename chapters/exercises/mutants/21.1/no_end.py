# expect: a user says something
# means: No mark ends a message.
import numpy as np

IGNORE = -100
START, END, BREAK = "<|im_start|>", "<|im_end|>", "\n"


def pieces(messages):
    found = []
    for message in messages:
        learned = message["role"] == "assistant"
        found.append((START + message["role"] + BREAK, False))
        found += [(message["content"], learned), (BREAK, False)]
    return found


def shifted(ids, learned):
    return ids[:-1], np.where(learned[1:], ids[1:], IGNORE)
