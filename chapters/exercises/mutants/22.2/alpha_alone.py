# expect: the scale is in it
# means: Alpha is not divided by the rank.
def merge(layer):
    if layer["kept"] is None:
        scale = layer["alpha"]
        layer["kept"] = layer["weight"]
        layer["weight"] = layer["weight"] + scale * (layer["B"] @ layer["A"])


def unmerge(layer):
    if layer["kept"] is not None:
        layer["weight"], layer["kept"] = layer["kept"], None
