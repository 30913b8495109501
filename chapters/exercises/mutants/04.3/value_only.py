# expect: the gradient leaks
# means: Only the value was looked at, and not the gradients.
def leaks(operation, *arrays):
    y, _ = operation(*arrays)
    return ["value"] if y.dtype != arrays[0].dtype else []
