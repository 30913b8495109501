"""26.3  What a token counts for.

    token_weights(lengths, kind, longest)    (B,) -> (B, longest)

GRPO adds up a number for every token of B answers, and weighs each. Row i holds the weights of answer i, which has
`lengths[i]` tokens; behind its last token the row is 0. The kinds:

- "own length": 1 / (B times the answer's own length), as published. Each answer counts alike, whatever its length.
- "all tokens": 1 / (the number of tokens of all answers), DAPO. Each token counts alike.
- "constant": 1 / (B times longest), Dr. GRPO. Each token counts alike, and as much whatever else is in the batch.
"""

import numpy as np


def token_weights(lengths, kind, longest):
    lengths = np.asarray(lengths)
    # >>> (B, longest)
    there = np.arange(longest) < lengths[:, None]
    if kind == "own length":
        below = len(lengths) * lengths[:, None]
    elif kind == "all tokens":
        below = lengths.sum()
    else:
        below = len(lengths) * longest
    return there / below
    # <<<
