# expect: merged is the sum
# means: The product is transposed: its rows are the inputs.
def merge(layer):
    if layer["kept"] is None:
        scale = layer["alpha"] / len(layer["A"])
        layer["kept"] = layer["weight"]
        layer["weight"] = layer["weight"] + scale * (layer["B"] @ layer["A"]).T


def unmerge(layer):
    if layer["kept"] is not None:
        layer["weight"], layer["kept"] = layer["kept"], None
