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
from tinygrad_llm.course import Todo


def roc_auc(scores, labels):
    raise Todo("a number")
