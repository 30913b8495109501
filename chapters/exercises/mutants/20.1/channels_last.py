# expect: all red before all green
# means: The numbers of a patch come pixel by pixel, each with all its channels: the axis of channels stands last.
def cut(pictures, patch):
    batch, channels, height, width = pictures.shape
    rows, columns = height // patch, width // patch
    x = pictures.reshape(batch, channels, rows, patch, columns, patch)
    return x.transpose(0, 2, 4, 3, 5, 1).reshape(batch, rows * columns, channels * patch * patch)
