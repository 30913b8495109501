# expect: one patch is the whole picture
# means: The patches still lie in rows and columns: a transformer reads one sequence.
def cut(pictures, patch):
    batch, channels, height, width = pictures.shape
    rows, columns = height // patch, width // patch
    x = pictures.reshape(batch, channels, rows, patch, columns, patch)
    return x.transpose(0, 2, 4, 1, 3, 5).reshape(batch, rows, columns, channels * patch * patch)
