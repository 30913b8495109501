# expect: what does not fit begins a row
# means: A text takes one place, however long it is.
def first_fit(lengths, size):
    rows, room = [], []
    for number in sorted(range(len(lengths)), key=lambda n: -lengths[n]):
        fitting = [row for row, free in enumerate(room) if free >= lengths[number]]
        if not fitting:
            rows.append([])
            room.append(size)
        row = fitting[0] if fitting else -1
        rows[row].append(number)
        room[row] -= 1
    return rows
