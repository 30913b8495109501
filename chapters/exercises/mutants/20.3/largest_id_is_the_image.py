# expect: the image token may be any number
# means: The picture is put where the largest number stands, not where the image token does.
import numpy as np

IGNORE = -100


def splice(tokens, answer, table, features, image_id):
    tokens = np.asarray(tokens)
    at = int(tokens.argmax())
    x = np.concatenate([table[tokens[:at]], features, table[tokens[at + 1 :]]])
    targets = np.full(len(x), IGNORE)
    first = answer + len(features) - 2
    targets[first:-1] = tokens[answer:]
    return x, np.arange(len(x)), targets
