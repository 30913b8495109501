"""12.4  One table, two uses.

    tied(table, ids, middle)    logits = middle(table[ids]) @ tableᵀ         (V, D), (N,) -> (N, V)

The same table looks the words up and is what the stream is compared with at the end. `middle` is all that is between,
and returns (value, vjp) as every operation does: (N, D) -> (N, D). Return (logits, vjp), and `vjp(g, needs)` the
gradient of the table; ids have none. In how many ways does the table reach the logits? And a word may occur more than
once in ids.
"""

import numpy as np
from tinygrad_llm.course import Todo


def tied(table, ids, middle):
    raise Todo("the logits, and what the way back needs")

    def vjp(g, needs):
        raise Todo("dL/dtable")

    return logits, vjp
