# expect: a picture that is wider than high
# means: The rows of patches were counted along the width: that is right for square pictures alone.
def cut(pictures, patch):
    batch, channels, height, width = pictures.shape
    rows, columns = width // patch, height // patch
    x = pictures.reshape(batch, channels, rows, patch, columns, patch)
    return x.transpose(0, 2, 4, 1, 3, 5).reshape(batch, rows * columns, channels * patch * patch)
