# expect: rows do not mix
# means: Places of different rows are compared.
def text_mask(texts):
    return (texts[:, None, :, None] == texts.T[None, None, :, :])[..., :1].repeat(texts.shape[1], -1)
