"""20.1  A picture from its patches.

    join(patches, patch, height, width)    (B, N, C · P · P) -> (B, C, Y, X)

The chapter cuts pictures into squares of P by P pixels. Put them together again. The N patches of a picture come as
one reads: row by row of patches, each from left to right. The numbers of one patch come channel by channel, in each row
by row, from left to right: first all of its red, then all of its green. A picture has C channels, Y rows of pixels and
X columns; `patch` is P, `height` Y, and `width` X. C is not given. How do you find it?

Both sides are multiples of P. Use `reshape` and `transpose` of what you are given, nothing of NumPy's own: then it
works on arrays, and on Tensors too.
"""

from tinygrad_llm.course import Todo


def join(patches, patch, height, width):
    raise Todo("(B, C, Y, X)")
