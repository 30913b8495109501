# expect: two texts of one word
# means: It is true where two places hold different texts.
def text_mask(texts):
    return texts[:, None, :, None] != texts[:, None, None, :]
