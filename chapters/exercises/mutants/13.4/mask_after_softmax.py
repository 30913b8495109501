# expect: padding gets nothing however well it fits
# means: The mask came after the softmax: the shares that are left no longer sum to 1.
import numpy as np


def cross_attention(q_BTK, k_BSK, v_BSK, words_BS):
    scores_BTS = q_BTK @ k_BSK.swapaxes(1, 2) / np.sqrt(q_BTK.shape[-1])
    shares_BTS = np.exp(scores_BTS - scores_BTS.max(2, keepdims=True))
    shares_BTS = shares_BTS / shares_BTS.sum(2, keepdims=True)
    return shares_BTS * words_BS[:, None, :] @ v_BSK
