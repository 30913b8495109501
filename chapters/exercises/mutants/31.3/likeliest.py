# expect: counted by hand
# means: This is the likeliest mark. Of an answer between two marks it says one of them.
def expected_mark(logits, tokens, marks):
    among = logits[:, tokens]
    return marks[among.argmax(1)]
