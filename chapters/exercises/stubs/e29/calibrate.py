"""29.3  What a prompt likes anyway.

    p        (N, C)   for N questions the probabilities of C answers
    p_empty  (M, C)   the same for M questions that say nothing: "N/A", "", …

A model has other words to say than the answers, so a row need not have the sum 1, neither above nor below. What the
prompt expects without a question is the mean of the empty rows, after each was scaled to the sum 1, so that each counts
as much as the other. Divide it out, and scale what is left to the sum 1.
Source: Zhao et al., "Calibrate Before Use: Improving Few-Shot Performance of Language Models", 2021.
"""

import numpy as np
from tinygrad_llm.course import Todo


def calibrated(p, p_empty):
    raise Todo("(N, C), rows that sum to 1")
