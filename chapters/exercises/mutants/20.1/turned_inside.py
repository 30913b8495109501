# expect: one patch is the whole picture
# means: Inside a patch the pixels come column by column: the last two axes are exchanged.
def cut(pictures, patch):
    batch, channels, height, width = pictures.shape
    rows, columns = height // patch, width // patch
    x = pictures.reshape(batch, channels, rows, patch, columns, patch)
    return x.transpose(0, 2, 4, 1, 5, 3).reshape(batch, rows * columns, channels * patch * patch)
