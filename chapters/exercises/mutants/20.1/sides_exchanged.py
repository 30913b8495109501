# expect: a picture that is wider than high
# means: The rows of patches were counted along the width: that is right for square pictures alone.
def join(patches, patch, height, width):
    batch, _, numbers = patches.shape
    channels = numbers // patch**2
    x = patches.reshape(batch, width // patch, height // patch, channels, patch, patch)
    return x.transpose(0, 3, 1, 4, 2, 5).reshape(batch, channels, height, width)
