# expect: unmerging what is not merged changes nothing
# means: Unmerging puts None in the weight's place where nothing was kept.
def merge(layer):
    if layer["kept"] is None:
        scale = layer["alpha"] / len(layer["A"])
        layer["kept"] = layer["weight"]
        layer["weight"] = layer["weight"] + scale * (layer["B"] @ layer["A"])


def unmerge(layer):
    layer["weight"], layer["kept"] = layer["kept"], None
