"""05.1  The best pair.

A text is a list of different words with their counts: [((7, 8, 9), 3), ((8, 9), 5)] are the ids of two words, the
first of which occurs 3 times. Find the pair of neighbours that occurs most often in the whole text. Above it is (8,
9), 3 + 5 times.

Of pairs that are equally frequent, take the one with the smallest ids: (1, 9) comes before (2, 0). Without a rule two
programs would learn two vocabularies.

The chapter joined pairs until none was left, down to those that occur once. Real training stops before that: a pair
that occurs fewer than `min_frequency` times is not worth an id of its own. If no pair occurs so often, return None.
Above, with min_frequency=9, there is none.
"""

from collections import Counter
from tinygrad_llm.course import Todo


def best_pair(words, min_frequency=1):
    raise Todo("the pair, or None")
