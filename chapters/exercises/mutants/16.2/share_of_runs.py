# expect: the example
# means: The share of the runs was returned: it is that of the characters.
def duplicate_ngram_share(words, n):
    runs = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
    return 1 - len(set(runs)) / len(runs) if runs else 0.0
