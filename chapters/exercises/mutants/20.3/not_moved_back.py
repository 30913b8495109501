# expect: the answer alone is learned each word one place before it
# means: The answer is asked for where it would stand if the picture were one token.
import numpy as np

IGNORE = -100


def splice(tokens, answer, table, features, image_id):
    tokens = np.asarray(tokens)
    at = int(np.argmax(tokens == image_id))
    x = np.concatenate([table[tokens[:at]], features, table[tokens[at + 1 :]]])
    targets = np.full(len(x), IGNORE)
    targets[answer - 1 : len(tokens) - 1] = tokens[answer:]
    return x, np.arange(len(x)), targets
