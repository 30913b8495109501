# expect: the longest come first
# means: Texts are placed as they come, not the longest first.
def first_fit(lengths, size):
    rows, room = [], []
    for number in range(len(lengths)):
        fitting = [row for row, free in enumerate(room) if free >= lengths[number]]
        if not fitting:
            rows.append([])
            room.append(size)
        row = fitting[0] if fitting else -1
        rows[row].append(number)
        room[row] -= lengths[number]
    return rows
