# expect: squares and not strips
# means: The side was cut into P rows of patches, and not into patches of P rows: a patch holds every second pixel.
def cut(pictures, patch):
    batch, channels, height, width = pictures.shape
    rows, columns = height // patch, width // patch
    x = pictures.reshape(batch, channels, patch, rows, patch, columns)
    return x.transpose(0, 3, 5, 1, 2, 4).reshape(batch, rows * columns, channels * patch * patch)
