# expect: three in a row
# means: The pairs were looked for from the right: of three in a row the last two were joined.
def merge_pair(word, pair, new):
    out, i = [], len(word) - 1
    while i >= 0:
        if i and (word[i - 1], word[i]) == pair:
            out.insert(0, new)
            i -= 2
        else:
            out.insert(0, word[i])
            i -= 1
    return out
