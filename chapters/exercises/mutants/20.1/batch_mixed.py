# expect: each picture by itself
# means: The pictures of the batch are mixed: their axis does not stand first when it is joined.
def cut(pictures, patch):
    batch, channels, height, width = pictures.shape
    rows, columns = height // patch, width // patch
    x = pictures.reshape(batch, channels, rows, patch, columns, patch)
    x = x.transpose(2, 4, 0, 1, 3, 5)
    return x.reshape(batch, rows * columns, channels * patch * patch)
