"""30.2  Cohen's kappa.

Two people gave a label to the same N things. They agree in a share p_o. Two people with the same habits, who did not
look, would agree in

    p_e = sum over labels of (share of the first one's labels) · (share of the second one's labels)
    kappa = (p_o - p_e) / (1 - p_e)

`kappa(one, other)`: two lists of labels, of one length. Where both gave one and the same label to all, chance leaves
nothing to be seen: return float("nan").
"""

from collections import Counter
from tinygrad_llm.course import Todo


def kappa(one, other):
    raise Todo("a number")
