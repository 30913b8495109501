"""18.2  The window.

With a window of w a position sees the last w positions, and it is one of them: itself and w - 1 before it. Never what
comes after it.

    visible(queries, keys, window)    -> (T, S) booleans, true where query t may look at key s

There may be more keys than queries, as when a text is continued and the keys of what was read are kept. Places are
counted from the end: the last query stands beside the last key. So query t stands at the place t + S - T among the
keys.

    far_back(layers, window)          -> how many positions before its own reach a position's state

after so many layers, each of which has this window. A layer hands on what the layer below it has brought.
"""

import numpy as np
from tinygrad_llm.course import Todo


def visible(queries, keys, window):
    raise Todo("compare where each query stands with where each key stands")


def far_back(layers, window):
    raise Todo("a number")
