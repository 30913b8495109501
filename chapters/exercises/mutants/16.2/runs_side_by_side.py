# expect: runs begin at every word
# means: Runs were taken side by side: they overlap, one begins at every word.
def duplicate_ngram_share(words, n):
    seen, marked = set(), set()
    for start in range(0, len(words) - n + 1, n):
        run = tuple(words[start : start + n])
        if run in seen:
            marked.update(range(start, start + n))
        seen.add(run)
    total = sum(len(word) for word in words)
    return sum(len(words[place]) for place in marked) / total if total else 0.0
