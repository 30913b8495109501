# expect: the answer alone is learned each word one place before it
# means: The answer is asked for one place too early: each target belongs one place before its word, not two.
import numpy as np

IGNORE = -100


def splice(tokens, answer, table, features, image_id):
    tokens = np.asarray(tokens)
    at = int(np.argmax(tokens == image_id))
    x = np.concatenate([table[tokens[:at]], features, table[tokens[at + 1 :]]])
    targets = np.full(len(x), IGNORE)
    first = answer + len(features) - 3
    targets[first:-2] = tokens[answer:]
    return x, np.arange(len(x)), targets
