# expect: one patch is the whole picture
# means: The whole picture is transposed: the rows of patches, and those inside, became columns.
def join(patches, patch, height, width):
    batch, _, numbers = patches.shape
    channels = numbers // patch**2
    x = patches.reshape(batch, height // patch, width // patch, channels, patch, patch)
    return x.transpose(0, 3, 2, 5, 1, 4).reshape(batch, channels, width, height)
