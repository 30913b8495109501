# expect: three in a row
# means: One id took part in two pairs: it was the second of one, and then the first of the next.
def merge_pair(word, pair, new):
    out = []
    for i, token in enumerate(word):
        if i and (word[i - 1], token) == pair:
            out[-1] = new
        else:
            out.append(token)
    return out
