# expect: the answer alone is learned each word one place before it
# means: The last word of the answer is not learned: its target stands at the last place but one.
import numpy as np

IGNORE = -100


def splice(tokens, answer, table, features, image_id):
    tokens = np.asarray(tokens)
    at = int(np.argmax(tokens == image_id))
    x = np.concatenate([table[tokens[:at]], features, table[tokens[at + 1 :]]])
    targets = np.full(len(x), IGNORE)
    first = answer + len(features) - 2
    targets[first:-1] = tokens[answer:]
    targets[-2] = IGNORE
    return x, np.arange(len(x)), targets
