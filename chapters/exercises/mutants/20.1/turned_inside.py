# expect: one patch is the whole picture
# means: Inside a patch rows and columns are exchanged: each stands transposed in its place.
def join(patches, patch, height, width):
    batch, _, numbers = patches.shape
    channels = numbers // patch**2
    x = patches.reshape(batch, height // patch, width // patch, channels, patch, patch)
    return x.transpose(0, 3, 1, 5, 2, 4).reshape(batch, channels, height, width)
