# expect: changed argument
def merge_pair(word, pair, new):
    i = 0
    while i < len(word) - 1:
        if (word[i], word[i + 1]) == pair:
            word[i : i + 2] = [new]
        i += 1
    return word
