# expect: the first row with room not the last
# means: The last row with room is taken.
def first_fit(lengths, size):
    rows, room = [], []
    for number in sorted(range(len(lengths)), key=lambda n: -lengths[n]):
        fitting = [row for row, free in enumerate(room) if free >= lengths[number]]
        if not fitting:
            rows.append([])
            room.append(size)
        row = fitting[-1] if fitting else -1
        rows[row].append(number)
        room[row] -= lengths[number]
    return rows
