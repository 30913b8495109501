"""09.4  Cutting a width into heads, and joining them again.

    split_heads(x, n_head)    (B, T, H K) -> (B, H, T, K)      head h has the numbers h K … (h + 1) K of each position
    join_heads(y)             (B, H, T, K) -> (B, T, H K)      the way back

A reshape never moves a number in memory, it only counts differently. The order of axes is another matter.
"""

from tinygrad_llm.course import Todo


def split_heads(x, n_head):
    raise Todo("first cut the last axis, then exchange two axes")


def join_heads(y):
    raise Todo("the same two steps, backwards")
