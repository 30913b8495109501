# expect: one that was not gives up its oldest token
# means: An unknown context was given up whole, and not token by token.
import numpy as np


def followers(tokens, n):
    counts = {}
    for i in range(len(tokens) - n):
        counts.setdefault(tuple(tokens[i : i + n]), np.zeros(1 + max(tokens)))[tokens[i + n]] += 1
    return counts


def predict(tables, context):
    context = tuple(context)
    if len(context) < len(tables) and context in tables[len(context)]:
        counts = tables[len(context)][context]
    else:
        counts = tables[0][()]
    return counts / counts.sum()
