# expect: order matters
# means: A run was compared without the order of its words.
def duplicate_ngram_share(words, n):
    seen, marked = set(), set()
    for start in range(len(words) - n + 1):
        run = tuple(sorted(words[start : start + n]))
        if run in seen:
            marked.update(range(start, start + n))
        seen.add(run)
    total = sum(len(word) for word in words)
    return sum(len(words[place]) for place in marked) / total if total else 0.0
