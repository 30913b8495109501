# expect: squares and not strips
# means: The patches were laid column by column, from top to bottom: they come row by row.
def join(patches, patch, height, width):
    batch, _, numbers = patches.shape
    channels = numbers // patch**2
    x = patches.reshape(batch, width // patch, height // patch, channels, patch, patch)
    return x.transpose(0, 3, 2, 4, 1, 5).reshape(batch, channels, height, width)
