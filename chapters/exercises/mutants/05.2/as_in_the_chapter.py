# expect: the new id is not merged again
# means: The new id was taken as the first half of another pair.
def merge_pair(word, pair, new):
    out = []
    for token in word:
        if out and (out[-1], token) == pair:
            out[-1] = new
        else:
            out.append(token)
    return tuple(out)
