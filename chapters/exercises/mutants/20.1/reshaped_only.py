# expect: squares and not strips
# means: The axes were not moved: each patch is a strip of pixels that lie side by side in memory.
def cut(pictures, patch):
    batch, channels, height, width = pictures.shape
    rows, columns = height // patch, width // patch
    return pictures.reshape(batch, rows * columns, channels * patch * patch)
