# expect: merged is the sum
# means: Alpha is divided by a side of the weight, O or I. The rank is the side that A and B share.
def merge(layer):
    if layer["kept"] is None:
        scale = layer["alpha"] / len(layer["B"])
        layer["kept"] = layer["weight"]
        layer["weight"] = layer["weight"] + scale * (layer["B"] @ layer["A"])


def unmerge(layer):
    if layer["kept"] is not None:
        layer["weight"], layer["kept"] = layer["kept"], None
