"""21.2  Who may see whom in a packed row.

    text_mask(texts)    (B, T) -> (B, 1, T, T) booleans

Several texts stand behind one another in a row. `texts` says of each place the number of its text, or -1 where the row
is empty. Place s may be seen from place t exactly where both have the same number; so empty places see one another,
since a place that sees nothing has no softmax. Between the axes of rows and of places
stands one of length 1, for the heads: all of them have the same mask.

That no place sees what comes after it is not your concern: the model hides the future by itself.
"""


def text_mask(texts):
    # >>> (B, 1, T, T)
    return texts[:, None, :, None] == texts[:, None, None, :]
    # <<<
