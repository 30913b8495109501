# expect: squares and not strips
# means: The columns of patches came before the rows inside: a row of pixels goes through all patches of its row.
def join(patches, patch, height, width):
    batch, _, numbers = patches.shape
    channels = numbers // patch**2
    x = patches.reshape(batch, height // patch, width // patch, channels, patch, patch)
    return x.transpose(0, 3, 1, 2, 4, 5).reshape(batch, channels, height, width)
