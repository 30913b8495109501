# expect: two texts of one word
# means: The axis for the heads is missing.
def text_mask(texts):
    return texts[:, :, None] == texts[:, None, :]
