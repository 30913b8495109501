"""09.4  Cutting a width into heads, joining them again, and sharing them.

    split_heads(x, n_head)    (B, T, H K) -> (B, H, T, K)      head h has the numbers h K … (h + 1) K of each position
    join_heads(y)             (B, H, T, K) -> (B, T, H K)      the way back
    share_heads(k, n_head)    (B, G, S, K) -> (B, H, S, K)     each head of keys again for every query head that uses it

All are NumPy arrays. A reshape never moves a number in memory, it only counts differently. The order of axes is another
matter.

The third is not in the chapter. Models that write long texts keep fewer heads of keys than of queries, to save memory:
H / G query heads that stand side by side look at the same keys. With two heads of keys for four of queries, 0 and 1 use
the first.
"""

from tinygrad_llm.course import Todo


def split_heads(x, n_head):
    raise Todo("first cut the last axis, then exchange two axes")


def join_heads(y):
    raise Todo("the same two steps, backwards")


def share_heads(k, n_head):
    raise Todo("each head of keys as often as it is used")
