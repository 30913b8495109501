# expect: the scale is in it
# means: The scale alpha / r is left out.
def merge(layer):
    if layer["kept"] is None:
        layer["kept"] = layer["weight"]
        layer["weight"] = layer["weight"] + (layer["B"] @ layer["A"])


def unmerge(layer):
    if layer["kept"] is not None:
        layer["weight"], layer["kept"] = layer["kept"], None
