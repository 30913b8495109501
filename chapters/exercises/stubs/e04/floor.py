"""04.1  The floor.

A linear layer computes y = x Wᵀ: x is (N, I), W is (O, I), y is (N, O). Each of the N·O results is I multiplications
and as many additions. Every number has `itemsize` bytes; x and W must come from memory once, and y must go there
once.

    work(N, I, O, itemsize)       the operations, and the bytes: two whole numbers
    floor(…, rate, bandwidth)     the least seconds that it can take, at `rate` operations and `bandwidth` bytes a
                                  second. Both happen at the same time, so the slower of the two decides.
    waits_for_memory(…)           True if the bytes take longer than the operations

With one row, as when a model writes one token after the other, every weight is fetched to be used once. That is why
serving many users at once costs little more than serving one.
"""

from tinygrad_llm.course import Todo


def work(n, i, o, itemsize=4):
    raise Todo("(operations, bytes)")


def floor(n, i, o, rate, bandwidth, itemsize=4):
    raise Todo("seconds")


def waits_for_memory(n, i, o, rate, bandwidth, itemsize=4):
    raise Todo("True or False")
