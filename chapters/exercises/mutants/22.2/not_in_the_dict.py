# expect: merged is the sum
# means: The dict that was given is as it was before: the merged weight has to be put into it, not returned.
def merge(layer):
    if layer["kept"] is not None:
        return layer
    scale = layer["alpha"] / len(layer["A"])
    return {**layer, "weight": layer["weight"] + scale * (layer["B"] @ layer["A"]), "kept": layer["weight"]}


def unmerge(layer):
    if layer["kept"] is None:
        return layer
    return {**layer, "weight": layer["kept"], "kept": None}
