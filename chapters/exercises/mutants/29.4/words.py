# expect: wherever it stands
# means: Only marks that are words of their own are taken out, and white space is lost.


def without(text, marks):
    return " ".join(word for word in text.split() if word not in marks)
