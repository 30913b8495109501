# expect: two texts of one word
# means: A text sees those with smaller numbers as well.
def text_mask(texts):
    return texts[:, None, :, None] >= texts[:, None, None, :]
