# expect: merging again after unmerging
# means: After unmerging something is still kept, so that it looks merged.
def merge(layer):
    if layer["kept"] is None:
        scale = layer["alpha"] / len(layer["A"])
        layer["kept"] = layer["weight"]
        layer["weight"] = layer["weight"] + scale * (layer["B"] @ layer["A"])


def unmerge(layer):
    if layer["kept"] is not None:
        layer["weight"] = layer["kept"]
