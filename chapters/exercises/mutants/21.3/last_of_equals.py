# expect: of equals the first comes first
# means: Of texts that are equally long the last comes first.
def first_fit(lengths, size):
    rows, room = [], []
    for number in sorted(range(len(lengths)), key=lambda n: (-lengths[n], -n)):
        fitting = [row for row, free in enumerate(room) if free >= lengths[number]]
        if not fitting:
            rows.append([])
            room.append(size)
        row = fitting[0] if fitting else -1
        rows[row].append(number)
        room[row] -= lengths[number]
    return rows
