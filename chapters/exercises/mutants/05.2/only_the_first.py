# expect: each pair is replaced
# means: Only the first pair was replaced.
def merge_pair(word, pair, new):
    word = list(word)
    for i in range(len(word) - 1):
        if (word[i], word[i + 1]) == pair:
            return [*word[:i], new, *word[i + 2 :]]
    return word
