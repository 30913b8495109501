# expect: the array that was given stays as it was
# means: A copy is kept, but the array that was given is written into (`+=`, `[:] =`), and others hold it too.
def merge(layer):
    if layer["kept"] is None:
        scale = layer["alpha"] / len(layer["A"])
        layer["kept"] = layer["weight"].copy()
        layer["weight"] += scale * (layer["B"] @ layer["A"])


def unmerge(layer):
    if layer["kept"] is not None:
        layer["weight"], layer["kept"] = layer["kept"], None
