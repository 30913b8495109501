"""21.3  Texts into rows.

    first_fit(lengths, size)    -> a list of rows, each a list of numbers of texts

Text i has lengths[i] tokens, and a row has room for `size`. The longest text is placed first, then the next; of two
that are equally long, the one with the smaller number. Each goes into the first row that still has room for all of it,
and into a new one where none has. Within a row, texts stand in the order in which they were placed.

No text is longer than a row.
"""


def first_fit(lengths, size):
    rows, room = [], []
    # >>> fills rows, and room with what is left in each
    for number in sorted(range(len(lengths)), key=lambda n: -lengths[n]):
        fitting = [row for row, free in enumerate(room) if free >= lengths[number]]
        if not fitting:
            rows.append([])
            room.append(size)
        row = fitting[0] if fitting else -1
        rows[row].append(number)
        room[row] -= lengths[number]
    # <<<
    return rows
