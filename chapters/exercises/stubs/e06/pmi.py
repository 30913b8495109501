"""06.2  PMI from counts.

counts[w, c] says how often c stood beside w, shape (V, V), no entry negative. How much more often is that than by
chance?

    positive_pmi(counts)[w, c] = max(0, ln( p(w, c) / (p(w) p(c)) ))        and 0 where the two never met

p(w, c) is the share of all meetings, p(w) the share of those of row w, p(c) that of column c. A word that never met
anybody has zeros, and NumPy has nothing to warn of.
"""

import numpy as np
from tinygrad_llm.course import Todo


def positive_pmi(counts):
    raise Todo("(V, V)")
