# expect: a picture that is wider than high
# means: Each side was cut into P parts, and then moved as if into parts of P: rows // P comes first, then P.
def cut(pictures, patch):
    batch, channels, height, width = pictures.shape
    rows, columns = height // patch, width // patch
    x = pictures.reshape(batch, channels, patch, rows, patch, columns)
    return x.transpose(0, 2, 4, 1, 3, 5).reshape(batch, rows * columns, channels * patch * patch)
