"""01.2  Children first.

A value knows its `parents`: the values that it was made from. A gradient may be passed on when everything that was made
from a value has been visited. Write the order of the visits: every value that `root` was made from, once, each before
its parents. The root comes first.

A value here is anything with an attribute `parents`. It may be its own parents' parent's child twice: `a + a` has the
parents (a, a).
"""

from tinygrad_llm.course import Todo


def children_first(root):
    raise Todo("a list: root first, each value before its parents, each once")
