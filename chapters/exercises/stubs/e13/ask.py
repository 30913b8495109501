"""13.4  Asking around padding.

Cross-attention: each of T positions of the text that is being written asks each of S positions of the text that was
read.

    scores = q kᵀ / sqrt(K)        (B, T, K), (B, S, K) -> (B, T, S)
    shares = softmax over S        0 where `words_BS` is False: there is only padding
    answer = shares v              (B, T, S), (B, S, K) -> (B, T, K)

`words_BS` is True where the source has a word; every source has at least one. Return the answer.
"""

import numpy as np
from tinygrad_llm.course import Todo


def cross_attention(q_BTK, k_BSK, v_BSK, words_BS):
    raise Todo("(B, T, K)")
