# expect: the new id is not merged again
# means: Pairs were joined until none was left: pairs that hold the new id are not joined again.
def merge_pair(word, pair, new):
    out = list(word)
    for _ in word:
        for i in range(len(out) - 1):
            if (out[i], out[i + 1]) == pair:
                out[i : i + 2] = [new]
                break
    return out
