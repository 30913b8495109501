# expect: each row of scores has a maximum of its own
# means: The maximum of all scores was taken off: each row needs its own.
import numpy as np


def cross_attention(q_BTK, k_BSK, v_BSK, words_BS):
    scores_BTS = q_BTK @ k_BSK.swapaxes(1, 2) / np.sqrt(q_BTK.shape[-1])
    scores_BTS = np.where(words_BS[:, None, :], scores_BTS, -np.inf)
    shares_BTS = np.exp(scores_BTS - scores_BTS.max())
    return shares_BTS / shares_BTS.sum(2, keepdims=True) @ v_BSK
