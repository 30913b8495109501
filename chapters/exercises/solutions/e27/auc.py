"""27.1  The area under the ROC.

A judge gives each answer a score, the larger, the more it thinks that the answer is unsafe. The area under its ROC, the
AUC, is the probability that an unsafe answer, drawn at random, has a larger score than a safe one:

    AUC = P(score of an unsafe one > score of a safe one) + P(the two are equal) / 2

`roc_auc(scores, labels)`: scores (N,), labels (N,) of 1 where the answer is unsafe, else 0; both sorts are there.
Returns a number.
Source: Hanley and McNeil, "The Meaning and Use of the Area under a Receiver Operating Characteristic (ROC) Curve",
1982.
"""

import numpy as np


def roc_auc(scores, labels):
    # >>> a number
    scores, is_unsafe = np.asarray(scores, float), np.asarray(labels) > 0
    above = scores[is_unsafe][:, None] - scores[~is_unsafe][None, :]
    return float(np.mean((np.sign(above) + 1) / 2))
    # <<<
