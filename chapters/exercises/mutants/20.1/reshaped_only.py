# expect: squares and not strips
# means: The axes were not moved: each patch became a strip of pixels that lie side by side in memory.
def join(patches, patch, height, width):
    batch, _, numbers = patches.shape
    channels = numbers // patch**2
    return patches.reshape(batch, channels, height, width)
