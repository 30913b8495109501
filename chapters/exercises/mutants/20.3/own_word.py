# expect: the answer alone is learned each word one place before it
# means: Each place is asked for its own word, which it has just read: nothing is to be learned from that.
import numpy as np

IGNORE = -100


def splice(tokens, answer, table, features, image_id):
    tokens = np.asarray(tokens)
    at = int(np.argmax(tokens == image_id))
    x = np.concatenate([table[tokens[:at]], features, table[tokens[at + 1 :]]])
    targets = np.full(len(x), IGNORE)
    targets[answer + len(features) - 1 :] = tokens[answer:]
    return x, np.arange(len(x)), targets
