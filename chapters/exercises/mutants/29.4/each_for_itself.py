# expect: what a gap joins is another mark
# means: Each mark is taken out until there is none, but a later one's gap may join an earlier one.


def without(text, marks):
    for mark in marks:
        while mark in text:
            text = text.replace(mark, "")
    return text
