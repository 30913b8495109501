# expect: a word in two runs counts once
# means: A word that lies in two runs was counted twice.
def duplicate_ngram_share(words, n):
    seen, marked = set(), []
    for start in range(len(words) - n + 1):
        run = tuple(words[start : start + n])
        if run in seen:
            marked.extend(range(start, start + n))
        seen.add(run)
    total = sum(len(word) for word in words)
    return sum(len(words[place]) for place in marked) / total if total else 0.0
