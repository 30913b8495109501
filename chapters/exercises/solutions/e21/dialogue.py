"""21.1  What of a dialogue is learned.

    pieces(messages)        -> a list of (text, learned)
    shifted(ids, learned)   (N,), (N,) -> inputs (N - 1,), targets (N - 1,)

A message is {"role": "user" or "assistant", "content": text}. ChatML writes it so:

    <|im_start|>user                <- the head: the mark, the role, a line break
    Which comes last ?<|im_end|>    <- the content, the mark that ends it, and a line break

`pieces` cuts this into four pieces a message: the head, the content, the end mark, and the line break behind it. Each
says whether it is learned. Learned is what an assistant has to write: what it says, and the mark by which it stops. Its
head it finds written; the line break behind the mark nobody writes.

`shifted` makes of ids and of flags (true: learned) what a language model trains on. Inputs are all ids but the last,
and the target of each is the id that comes next, or IGNORE where that one is not learned.
"""

import numpy as np

IGNORE = -100
START, END, BREAK = "<|im_start|>", "<|im_end|>", "\n"


def pieces(messages):
    # >>> a list of (text, learned)
    found = []
    for message in messages:
        learned = message["role"] == "assistant"
        found.append((START + message["role"] + BREAK, False))
        found += [(message["content"], learned), (END, learned), (BREAK, False)]
    return found
    # <<<


def shifted(ids, learned):
    # >>> inputs, targets
    return ids[:-1], np.where(learned[1:], ids[1:], IGNORE)
    # <<<
