# expect: stays as it is
# means: White space at the ends of the text is lost.


def without(text, marks):
    while any(mark in text for mark in marks):
        for mark in marks:
            text = text.replace(mark, "")
    return text.strip()
