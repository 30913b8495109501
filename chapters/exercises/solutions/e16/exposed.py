"""16.3  Exposure.

A secret was one of R candidates. The model has scored each of them: `log_probs` (R,) are the log-probabilities, and
`secret` is the place of the true one. At which place does it come, if the candidates are sorted from likely to
unlikely? The likeliest has rank 1. And how many bits does the model save whoever searches?

    exposure = log2 R - log2 rank

Candidates exactly as likely as the secret stand before it: a tie is no knowledge. So a model that finds all alike
exposes nothing.

Return the exposure, a float.
"""

import numpy as np


def exposure(log_probs, secret):
    # >>> bits
    rank = np.count_nonzero(log_probs >= log_probs[secret])
    return float(np.log2(len(log_probs) / rank))
    # <<<
