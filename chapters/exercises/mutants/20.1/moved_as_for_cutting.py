# expect: squares and not strips
# means: The axes were moved as they are for cutting: to undo that, each has to go back to where it came from.
def join(patches, patch, height, width):
    batch, _, numbers = patches.shape
    channels = numbers // patch**2
    x = patches.reshape(batch, height // patch, width // patch, channels, patch, patch)
    return x.transpose(0, 2, 4, 1, 3, 5).reshape(batch, channels, height, width)
