# expect: by loops
# means: Empty places see nothing at all: a softmax over nothing is nan.
def text_mask(texts):
    return (texts[:, None, :, None] == texts[:, None, None, :]) & (texts[:, None, :, None] >= 0)
