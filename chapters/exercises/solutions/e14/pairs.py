"""14.3  Two texts in one row.

Does the second text follow the first? To say so a model must read both at once. Each pair is one row:

    tokens    [CLS]  a1  a2  …  [SEP]  b1  b2  …  [SEP]  [PAD]  …
    types       0     0   0  …    0     1   1  …    1      0    …

The first [SEP] belongs to the first text, the last one to the second. Rows differ in length: the longest decides, and
the others are filled up behind their end, with `pad_id` and the type 0.

`join_pairs(firsts, seconds, …)` gets two lists of as many texts, each a list of ids. Return a dict of three arrays of
whole numbers: "tokens" and "types", (B, T), and "lengths", (B,): how many tokens of a row are not padding.
"""

import numpy as np


def join_pairs(firsts, seconds, *, cls_id, sep_id, pad_id):
    # >>> {"tokens": …, "types": …, "lengths": …}
    rows = [[cls_id, *first, sep_id, *second, sep_id] for first, second in zip(firsts, seconds)]
    lengths = np.array([len(row) for row in rows])
    tokens = np.full((len(rows), lengths.max()), pad_id)
    types = np.zeros(tokens.shape, int)
    for i, row in enumerate(rows):
        tokens[i, : len(row)] = row
        types[i, len(firsts[i]) + 2 : len(row)] = 1
    return {"tokens": tokens, "types": types, "lengths": lengths}
    # <<<
