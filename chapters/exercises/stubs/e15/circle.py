"""15.1  The circle.

A text runs in a circle where it ends with the same piece several times in a row. Given the `tokens` of a text, a list
of anything that can be compared with ==, return the length of the shortest such piece:

    loop_period([7, 1, 2, 1, 2, 1, 2], longest=4)   ->  2     1 2 stands there three times
    loop_period([5, 5, 5, 5, 5, 5], longest=4)      ->  1     5, and 5 5 too: the shortest counts
    loop_period([1, 2, 1, 2], longest=4)            ->  0     twice is not enough

`longest` is how long a piece may be, `times` how often it must stand there. Where there is none, return 0.
"""

from tinygrad_llm.course import Todo


def loop_period(tokens, longest, times=3):
    raise Todo("a number of tokens, or 0")
