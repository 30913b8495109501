# expect: all red before all green
# means: The numbers of a patch were read pixel by pixel, each with all its channels: channel by channel they come.
def join(patches, patch, height, width):
    batch, _, numbers = patches.shape
    channels = numbers // patch**2
    x = patches.reshape(batch, height // patch, width // patch, patch, patch, channels)
    return x.transpose(0, 5, 1, 3, 2, 4).reshape(batch, channels, height, width)
