# expect: each of the marks
# means: Only the first of the marks is taken out.


def without(text, marks):
    for mark in marks[:1]:
        while mark in text:
            text = text.replace(mark, "")
    return text
