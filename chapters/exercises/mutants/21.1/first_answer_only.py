# expect: every answer is learned
# means: Of several answers only the first is learned.
import numpy as np

IGNORE = -100
START, END, BREAK = "<|im_start|>", "<|im_end|>", "\n"


def pieces(messages):
    found = []
    answers = [i for i, message in enumerate(messages) if message["role"] == "assistant"]
    for i, message in enumerate(messages):
        learned = i in answers[:1]
        found.append((START + message["role"] + BREAK, False))
        found += [(message["content"], learned), (END, learned), (BREAK, False)]
    return found


def shifted(ids, learned):
    return ids[:-1], np.where(learned[1:], ids[1:], IGNORE)
