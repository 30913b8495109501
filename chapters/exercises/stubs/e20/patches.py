"""20.1  Cut a picture into patches.

    cut(pictures, patch)    (B, C, Y, X) -> (B, N, C · P · P),  N = (Y / P) · (X / P)

A picture has C channels (red, green and blue), Y rows of pixels and X columns. It is cut into squares of P by P
pixels, which do not overlap. They come as one reads: row by row of patches, each from left to right. And the numbers
of one patch come channel by channel, in each row by row, from left to right: first all of its red, then all of its
green.

Both sides are multiples of P. Use `reshape` and `transpose` of what you are given, nothing of NumPy's own: then it
works on arrays, and on Tensors too.
"""

from tinygrad_llm.course import Todo


def cut(pictures, patch):
    batch, channels, height, width = pictures.shape
    raise Todo("(B, N, C P P)")
