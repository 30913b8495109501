# expect: two texts of one word
# means: Everybody sees everybody: texts leak into one another.
import numpy as np


def text_mask(texts):
    return np.ones((len(texts), 1, texts.shape[1], texts.shape[1]), bool)
