# expect: one that was not gives up its oldest token
# means: The newest token of the context was given up, and not the oldest.
import numpy as np


def followers(tokens, n):
    counts = {}
    for i in range(len(tokens) - n):
        counts.setdefault(tuple(tokens[i : i + n]), np.zeros(1 + max(tokens)))[tokens[i + n]] += 1
    return counts


def predict(tables, context):
    for stop in range(len(context), -1, -1):
        beginning = tuple(context[:stop])
        if stop < len(tables) and beginning in tables[stop]:
            return tables[stop][beginning] / tables[stop][beginning].sum()
