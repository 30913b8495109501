# expect: no pair no change
# means: The last id is lost where it is not part of a pair.
def merge_pair(word, pair, new):
    out, i = [], 0
    while i < len(word) - 1:
        if (word[i], word[i + 1]) == pair:
            out.append(new)
            i += 2
        else:
            out.append(word[i])
            i += 1
    return out
