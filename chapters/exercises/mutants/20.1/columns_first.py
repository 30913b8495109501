# expect: squares and not strips
# means: The patches come column by column, from top to bottom: their two axes are exchanged.
def cut(pictures, patch):
    batch, channels, height, width = pictures.shape
    rows, columns = height // patch, width // patch
    x = pictures.reshape(batch, channels, rows, patch, columns, patch)
    return x.transpose(0, 4, 2, 1, 3, 5).reshape(batch, rows * columns, channels * patch * patch)
