# expect: a picture that is wider than high
# means: The sides were cut into P parts: there are Y / P rows of patches, and each has P rows inside.
def join(patches, patch, height, width):
    batch, _, numbers = patches.shape
    channels = numbers // patch**2
    x = patches.reshape(batch, patch, patch, channels, height // patch, width // patch)
    return x.transpose(0, 3, 1, 4, 2, 5).reshape(batch, channels, height, width)
