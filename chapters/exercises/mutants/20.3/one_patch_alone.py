# expect: the patches stand where the image token stood
# means: The first patch alone stands there: a text of the same length, and the rest of the picture is lost.
import numpy as np

IGNORE = -100


def splice(tokens, answer, table, features, image_id):
    tokens = np.asarray(tokens)
    at = int(np.argmax(tokens == image_id))
    x = table[tokens].copy()
    x[at] = features[0]
    targets = np.full(len(x), IGNORE)
    targets[answer - 1 : -1] = tokens[answer:]
    return x, np.arange(len(x)), targets
