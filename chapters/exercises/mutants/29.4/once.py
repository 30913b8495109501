# expect: what a gap joins is a mark too
# means: The text is gone through once: what is left may have a mark again.


def without(text, marks):
    for mark in marks:
        text = text.replace(mark, "")
    return text
