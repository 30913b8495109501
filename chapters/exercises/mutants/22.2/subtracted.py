# expect: unmerged is the old weight to the bit
# means: The product is subtracted again, and floats round: the old weight does not come back to the bit.
def merge(layer):
    if layer["kept"] is None:
        scale = layer["alpha"] / len(layer["A"])
        layer["kept"] = layer["weight"]
        layer["weight"] = layer["weight"] + scale * (layer["B"] @ layer["A"])


def unmerge(layer):
    if layer["kept"] is not None:
        scale = layer["alpha"] / len(layer["A"])
        layer["weight"] = layer["weight"] - scale * (layer["B"] @ layer["A"])
        layer["kept"] = None
