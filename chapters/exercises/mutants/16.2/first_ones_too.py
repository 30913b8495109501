# expect: the first one is not marked
# means: The first occurrence of a run was marked too: it did not stand there before.
def duplicate_ngram_share(words, n):
    runs = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
    marked = {i + j for i, run in enumerate(runs) if runs.count(run) > 1 for j in range(n)}
    total = sum(len(word) for word in words)
    return sum(len(words[place]) for place in marked) / total if total else 0.0
