# expect: of a user nothing is learned
# means: It is the user whose words are learned.
import numpy as np

IGNORE = -100
START, END, BREAK = "<|im_start|>", "<|im_end|>", "\n"


def pieces(messages):
    found = []
    for message in messages:
        learned = message["role"] == "user"
        found.append((START + message["role"] + BREAK, False))
        found += [(message["content"], learned), (END, learned), (BREAK, False)]
    return found


def shifted(ids, learned):
    return ids[:-1], np.where(learned[1:], ids[1:], IGNORE)
