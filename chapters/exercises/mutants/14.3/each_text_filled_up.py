# expect: a shorter row is filled up behind its end
# means: Each text was filled up by itself, so that there is padding inside the row.
import numpy as np


def join_pairs(firsts, seconds, *, cls_id, sep_id, pad_id):
    first, second = (max(map(len, texts)) for texts in (firsts, seconds))
    lengths = np.array([len(a) + len(b) + 3 for a, b in zip(firsts, seconds)])
    tokens = np.full((len(firsts), first + second + 3), pad_id)
    types = np.zeros(tokens.shape, int)
    for i, (a, b) in enumerate(zip(firsts, seconds)):
        tokens[i, : len(a) + 2] = [cls_id, *a, sep_id]
        tokens[i, first + 2 : first + len(b) + 3] = [*b, sep_id]
        types[i, first + 2 : first + len(b) + 3] = 1
    return {"tokens": tokens, "types": types, "lengths": lengths}
