# expect: patches of one pixel
# means: The channels stand before the patches: each channel is cut by itself, and a row mixes patches.
def cut(pictures, patch):
    batch, channels, height, width = pictures.shape
    rows, columns = height // patch, width // patch
    x = pictures.reshape(batch, channels, rows, patch, columns, patch)
    return x.transpose(0, 1, 2, 4, 3, 5).reshape(batch, rows * columns, channels * patch * patch)
