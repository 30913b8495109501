# expect: one patch is the whole picture
# means: The rows of patches and the rows inside are still two axes, and the columns too: together they are one.
def join(patches, patch, height, width):
    batch, _, numbers = patches.shape
    channels = numbers // patch**2
    x = patches.reshape(batch, height // patch, width // patch, channels, patch, patch)
    return x.transpose(0, 3, 1, 4, 2, 5)
