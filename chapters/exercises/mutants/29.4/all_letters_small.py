# expect: capitals are other letters
# means: Marks in capitals are taken out, too.
import re


def without(text, marks):
    before = None
    while before != text:
        before = text
        for mark in marks:
            text = re.sub(re.escape(mark), "", text, flags=re.IGNORECASE)
    return text
