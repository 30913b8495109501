# expect: merged is the sum
# means: The product is A B, and not B A.
def merge(layer):
    if layer["kept"] is None:
        scale = layer["alpha"] / len(layer["A"])
        layer["kept"] = layer["weight"]
        layer["weight"] = layer["weight"] + scale * (layer["A"] @ layer["B"])


def unmerge(layer):
    if layer["kept"] is not None:
        layer["weight"], layer["kept"] = layer["kept"], None
