# expect: the patches stand where the image token stood
# means: The image token stands there still, in front of the patches: it makes room for them.
import numpy as np

IGNORE = -100


def splice(tokens, answer, table, features, image_id):
    tokens = np.asarray(tokens)
    at = int(np.argmax(tokens == image_id))
    x = np.concatenate([table[tokens[: at + 1]], features, table[tokens[at + 1 :]]])
    targets = np.full(len(x), IGNORE)
    targets[answer + len(features) - 1 : -1] = tokens[answer:]
    return x, np.arange(len(x)), targets
