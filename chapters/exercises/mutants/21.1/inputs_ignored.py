# expect: flags are those of the targets
# means: The inputs lose what is not learned: then the model does not even see the question.
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
    return np.where(learned[:-1], ids[:-1], IGNORE), np.where(learned[1:], ids[1:], IGNORE)
