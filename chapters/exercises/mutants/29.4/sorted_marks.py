# expect: in their order
# means: The marks are sorted first; they are to go in the order in which they are given.


def without(text, marks):
    marks = sorted(marks)
    while any(mark in text for mark in marks):
        for mark in marks:
            text = text.replace(mark, "")
    return text
