# expect: two texts of one word
# means: The answer is made of numbers in place of booleans: added to scores, they hide nothing.
def text_mask(texts):
    return (texts[:, None, :, None] == texts[:, None, None, :]).astype(float)
