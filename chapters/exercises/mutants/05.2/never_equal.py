# expect: each pair is replaced
# means: Nothing was replaced: a slice of a list is a list, and a list never equals a tuple.
def merge_pair(word, pair, new):
    out, i = [], 0
    while i < len(word):
        if list(word[i : i + 2]) == pair:
            out.append(new)
            i += 2
        else:
            out.append(word[i])
            i += 1
    return out
