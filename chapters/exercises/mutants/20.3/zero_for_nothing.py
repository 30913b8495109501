# expect: the answer alone is learned each word one place before it
# means: Where nothing is to be learned stands 0, which is the id of a word.
import numpy as np

IGNORE = -100


def splice(tokens, answer, table, features, image_id):
    tokens = np.asarray(tokens)
    at = int(np.argmax(tokens == image_id))
    x = np.concatenate([table[tokens[:at]], features, table[tokens[at + 1 :]]])
    targets = np.full(len(x), 0)
    first = answer + len(features) - 2
    targets[first:-1] = tokens[answer:]
    return x, np.arange(len(x)), targets
