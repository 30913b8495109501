# expect: what does not fit begins a row
# means: Room is never used up: rows hold more than they can.
def first_fit(lengths, size):
    rows, room = [], []
    for number in sorted(range(len(lengths)), key=lambda n: -lengths[n]):
        fitting = [row for row, free in enumerate(room) if free >= lengths[number]]
        if not fitting:
            rows.append([])
            room.append(size)
        row = fitting[0] if fitting else -1
        rows[row].append(number)
    return rows
