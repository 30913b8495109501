# expect: three in a row are one pair and one left
# means: One id took part in two pairs: three in a row became two new ids.
def merge_pair(word, pair, new):
    out = []
    for i, token in enumerate(word):
        if i + 1 < len(word) and (token, word[i + 1]) == pair:
            out.append(new)
        elif not (i and (word[i - 1], token) == pair):
            out.append(token)
    return out
