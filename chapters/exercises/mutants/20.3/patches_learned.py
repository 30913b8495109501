# expect: the answer alone is learned each word one place before it
# means: The places of the patches are asked for the image token: a patch is no word.
import numpy as np

IGNORE = -100


def splice(tokens, answer, table, features, image_id):
    tokens = np.asarray(tokens)
    at = int(np.argmax(tokens == image_id))
    x = np.concatenate([table[tokens[:at]], features, table[tokens[at + 1 :]]])
    targets = np.full(len(x), IGNORE)
    first = answer + len(features) - 2
    targets[first:-1] = tokens[answer:]
    targets[max(at - 1, 0) : at + len(features) - 1] = image_id
    return x, np.arange(len(x)), targets
