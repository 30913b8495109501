# expect: two that fill it exactly
# means: Each text has a row of its own.
def first_fit(lengths, size):
    rows, room = [], []
    for number in sorted(range(len(lengths)), key=lambda n: -lengths[n]):
        fitting = [row for row, free in enumerate(room) if free >= lengths[number]]
        fitting = []
        if not fitting:
            rows.append([])
            room.append(size)
        row = fitting[0] if fitting else -1
        rows[row].append(number)
        room[row] -= lengths[number]
    return rows
