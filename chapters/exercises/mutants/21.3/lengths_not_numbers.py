# expect: a text that fills a row
# means: The rows hold lengths, not the numbers of the texts.
def first_fit(lengths, size):
    rows, room = [], []
    for number in sorted(range(len(lengths)), key=lambda n: -lengths[n]):
        fitting = [row for row, free in enumerate(room) if free >= lengths[number]]
        if not fitting:
            rows.append([])
            room.append(size)
        row = fitting[0] if fitting else -1
        rows[row].append(lengths[number])
        room[row] -= lengths[number]
    return rows
