# expect: without context it counts tokens
# means: The last token was not counted.
import numpy as np


def followers(tokens, n):
    counts = {}
    for i in range(len(tokens) - n - 1):
        counts.setdefault(tuple(tokens[i : i + n]), np.zeros(1 + max(tokens)))[tokens[i + n]] += 1
    return counts


def predict(tables, context):
    for start in range(len(context) + 1):
        ending = tuple(context[start:])
        if len(ending) < len(tables) and ending in tables[len(ending)]:
            return tables[len(ending)][ending] / tables[len(ending)][ending].sum()
