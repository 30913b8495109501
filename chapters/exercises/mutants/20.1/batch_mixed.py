# expect: pixel by pixel
# means: The channels stand before the pictures of the batch: the numbers of several pictures are mixed.
def join(patches, patch, height, width):
    batch, _, numbers = patches.shape
    channels = numbers // patch**2
    x = patches.reshape(batch, height // patch, width // patch, channels, patch, patch)
    return x.transpose(3, 0, 1, 4, 2, 5).reshape(batch, channels, height, width)
