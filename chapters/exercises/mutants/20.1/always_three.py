# expect: it raised
# means: C was taken to be 3, whatever came: it is the length of a patch over P · P.
def join(patches, patch, height, width):
    batch = patches.shape[0]
    channels = 3
    x = patches.reshape(batch, height // patch, width // patch, channels, patch, patch)
    return x.transpose(0, 3, 1, 4, 2, 5).reshape(batch, channels, height, width)
