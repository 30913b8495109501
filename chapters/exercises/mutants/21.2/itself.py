# expect: a text sees itself before and behind
# means: Each place sees itself alone.
import numpy as np


def text_mask(texts):
    return np.broadcast_to(np.eye(texts.shape[1], dtype=bool), (len(texts), 1, texts.shape[1], texts.shape[1]))
