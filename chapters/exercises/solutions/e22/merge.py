"""22.2  Merge an adapter into its layer, and take it out again.

    merge(layer)      puts the adapter into the weight
    unmerge(layer)    puts the old weight back

`layer` is a dict: "weight" (O, I), "A" (r, I), "B" (O, r), "alpha", and "kept", which is None as long as the adapter is
not merged. Merged, "weight" is W + (alpha / r) B A, and the layer computes in one product what took three.

- Both change the dict, and return nothing. Neither writes into an array that it was given: others may hold it too.
- Who merges twice has merged once. Who unmerges what is not merged changes nothing.
- The old weight comes back *to the bit*. W + D - D is not always W: floats round. So keep it.
"""


def merge(layer):
    # >>> layer["weight"] and layer["kept"]
    if layer["kept"] is None:
        scale = layer["alpha"] / len(layer["A"])
        layer["kept"] = layer["weight"]
        layer["weight"] = layer["weight"] + scale * (layer["B"] @ layer["A"])
    # <<<


def unmerge(layer):
    # >>> layer["weight"] and layer["kept"]
    if layer["kept"] is not None:
        layer["weight"], layer["kept"] = layer["kept"], None
    # <<<
