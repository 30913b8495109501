"""13.4  Asking around padding.

Cross-attention: each of T positions of the text that is being written asks each of S positions of the text that was
read.

    scores = q kᵀ / sqrt(K)        (B, T, K), (B, S, K) -> (B, T, S)
    shares = softmax over S        0 where `words_BS` is False: there is only padding
    answer = shares v              (B, T, S), (B, S, K) -> (B, T, K)

`words_BS` is True where the source has a word; every source has at least one. Return the answer.
"""

import numpy as np


def cross_attention(q_BTK, k_BSK, v_BSK, words_BS):
    # >>> (B, T, K)
    scores_BTS = q_BTK @ k_BSK.swapaxes(1, 2) / np.sqrt(q_BTK.shape[-1])
    scores_BTS = np.where(words_BS[:, None, :], scores_BTS, -np.inf)
    shares_BTS = np.exp(scores_BTS - scores_BTS.max(2, keepdims=True))
    return shares_BTS / shares_BTS.sum(2, keepdims=True) @ v_BSK
    # <<<
