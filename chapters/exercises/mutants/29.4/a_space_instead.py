# expect: wherever it stands
# means: A space is put where a mark stood; there should be nothing.


def without(text, marks):
    while any(mark in text for mark in marks):
        for mark in marks:
            text = text.replace(mark, " ")
    return text
