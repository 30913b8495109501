# expect: however often that is
# means: The rounds are counted beforehand; whoever writes the text can nest his marks more deeply.


def without(text, marks):
    for _ in range(10):
        for mark in marks:
            text = text.replace(mark, "")
    return text
