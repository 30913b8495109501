# expect: the gradient leaks
def leaks(operation, *arrays):
    y, _ = operation(*arrays)
    return ["value"] if y.dtype != arrays[0].dtype else []
