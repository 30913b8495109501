# expect: marks are strings
# means: A mark is a string here and not a pattern: to an expression "[", "]" and "." are signs of its own.
import re


def without(text, marks):
    while any(mark in text for mark in marks):
        before = text
        for mark in marks:
            try:
                text = re.sub(mark, "", text)
            except re.error:
                continue
        if text == before:
            return text
    return text
