# expect: the first row with room not the last
# means: Only the newest row is asked for room.
def first_fit(lengths, size):
    rows, room = [], []
    for number in sorted(range(len(lengths)), key=lambda n: -lengths[n]):
        fitting = [row for row, free in enumerate(room) if row == len(room) - 1 and free >= lengths[number]]
        if not fitting:
            rows.append([])
            room.append(size)
        row = fitting[0] if fitting else -1
        rows[row].append(number)
        room[row] -= lengths[number]
    return rows
