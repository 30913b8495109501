# expect: not the row that is filled best
# means: The row that is filled best is taken, not the first.
def first_fit(lengths, size):
    rows, room = [], []
    for number in sorted(range(len(lengths)), key=lambda n: -lengths[n]):
        fitting = [row for row, free in enumerate(room) if free >= lengths[number]]
        if not fitting:
            rows.append([])
            room.append(size)
        row = min(fitting, key=lambda r: room[r]) if fitting else -1
        rows[row].append(number)
        room[row] -= lengths[number]
    return rows
