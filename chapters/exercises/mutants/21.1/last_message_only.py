# expect: the text is that of the package
# means: Only the last message comes out: the list is begun anew for each.
import numpy as np

IGNORE = -100
START, END, BREAK = "<|im_start|>", "<|im_end|>", "\n"


def pieces(messages):
    found = []
    for message in messages:
        found = []
        learned = message["role"] == "assistant"
        found.append((START + message["role"] + BREAK, False))
        found += [(message["content"], learned), (END, learned), (BREAK, False)]
    return found


def shifted(ids, learned):
    return ids[:-1], np.where(learned[1:], ids[1:], IGNORE)
