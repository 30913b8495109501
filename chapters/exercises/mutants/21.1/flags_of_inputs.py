# expect: flags are those of the targets
# means: The flags are those of the inputs: they are one place too early.
import numpy as np

IGNORE = -100
START, END, BREAK = "<|im_start|>", "<|im_end|>", "\n"


def pieces(messages):
    found = []
    for message in messages:
        learned = message["role"] == "assistant"
        found.append((START + message["role"] + BREAK, False))
        found += [(message["content"], learned), (END, learned), (BREAK, False)]
    return found


def shifted(ids, learned):
    return ids[:-1], np.where(learned[:-1], ids[1:], IGNORE)
