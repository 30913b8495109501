"""22.2  Merge an adapter into its layer, and take it out again.

    merge(layer)      puts the adapter into the weight
    unmerge(layer)    puts the old weight back

`layer` is a dict: "weight" (O, I), "A" (r, I), "B" (O, r), "alpha", and "kept", which is None as long as the adapter is
not merged. Merged, "weight" is W + (alpha / r) B A, and the layer computes in one product what took three.

- Both change the dict, and return nothing. Neither writes into an array that it was given: others may hold it too.
- Who merges twice has merged once. Who unmerges what is not merged changes nothing.
- The old weight comes back *to the bit*. W + D - D is not always W: floats round. So keep it.
"""

from tinygrad_llm.course import Todo


def merge(layer):
    raise Todo("layer[\"weight\"] and layer[\"kept\"]")


def unmerge(layer):
    raise Todo("layer[\"weight\"] and layer[\"kept\"]")
