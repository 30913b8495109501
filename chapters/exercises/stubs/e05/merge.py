"""05.2  A merge.

Replace every `pair` of neighbours in `word`, a sequence of ids, by the id `new`. Go from the left, and let no id take
part in two pairs: with the pair (1, 1) and the new id 9 the word [1, 1, 1] becomes [9, 1]. The
id `new` may be half of `pair` itself; it is not joined again. Return a new list (or tuple); leave `word` as it is.
"""

from tinygrad_llm.course import Todo


def merge_pair(word, pair, new):
    raise Todo("a new list")
