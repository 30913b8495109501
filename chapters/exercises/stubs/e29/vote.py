"""29.1  The vote.

Of several answers the one that is given most often: self-consistency.

    answers   texts; None where no answer could be read, and then it has no vote
    weights   how much each answer counts, 1 each where there are none

White space around an answer does not matter: " 12" and "12 " are one answer, "12". Of several with as many votes it is
the one that was given first. None where nobody has voted, or all votes count 0.
Source: Wang et al., "Self-Consistency Improves Chain of Thought Reasoning in Language Models", 2023.
"""

from tinygrad_llm.course import Todo


def vote(answers, weights=None):
    raise Todo("the answer with most votes, or None")
