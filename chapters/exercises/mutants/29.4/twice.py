# expect: as often as it takes
# means: Two rounds are not enough: somebody may have put one mark into another three times.


def without(text, marks):
    for mark in [*marks, *marks]:
        text = text.replace(mark, "")
    return text
