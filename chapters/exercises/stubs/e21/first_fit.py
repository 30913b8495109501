"""21.3  Texts into rows.

    first_fit(lengths, size)    -> a list of rows, each a list of numbers of texts

Text i has lengths[i] tokens, and a row has room for `size`. The longest text is placed first, then the next; of two
that are equally long, the one with the smaller number. Each goes into the first row that still has room for all of it,
and into a new one where none has. Within a row, texts stand in the order in which they were placed.

No text is longer than a row.
"""

from tinygrad_llm.course import Todo


def first_fit(lengths, size):
    rows, room = [], []
    raise Todo("fills rows, and room with what is left in each")
    return rows
