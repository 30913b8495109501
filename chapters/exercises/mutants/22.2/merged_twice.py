# expect: merged twice is merged once
# means: Each call adds the adapter once more.
def merge(layer):
    if True:
        scale = layer["alpha"] / len(layer["A"])
        layer["kept"] = layer["weight"]
        layer["weight"] = layer["weight"] + scale * (layer["B"] @ layer["A"])


def unmerge(layer):
    if layer["kept"] is not None:
        layer["weight"], layer["kept"] = layer["kept"], None
