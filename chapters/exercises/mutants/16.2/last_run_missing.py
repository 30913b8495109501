# expect: the first one is not marked
# means: The last run was left out: there are len(words) - n + 1.
def duplicate_ngram_share(words, n):
    seen, marked = set(), set()
    for start in range(len(words) - n):
        run = tuple(words[start : start + n])
        if run in seen:
            marked.update(range(start, start + n))
        seen.add(run)
    total = sum(len(word) for word in words)
    return sum(len(words[place]) for place in marked) / total if total else 0.0
