# expect: padding gets nothing
# means: Padding's scores were set to 0, and exp(0) is 1: it still gets a share.
import numpy as np


def cross_attention(q_BTK, k_BSK, v_BSK, words_BS):
    scores_BTS = q_BTK @ k_BSK.swapaxes(1, 2) / np.sqrt(q_BTK.shape[-1])
    scores_BTS = np.where(words_BS[:, None, :], scores_BTS, 0.0)
    shares_BTS = np.exp(scores_BTS - scores_BTS.max(2, keepdims=True))
    return shares_BTS / shares_BTS.sum(2, keepdims=True) @ v_BSK
