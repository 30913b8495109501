# expect: rows do not mix
# means: The axis for the heads stands before that of the rows.
def text_mask(texts):
    return (texts[:, :, None] == texts[:, None, :])[None]
