# expect: the example
# means: Spaces were counted as characters of the page.
def duplicate_ngram_share(words, n):
    seen, marked = set(), set()
    for start in range(len(words) - n + 1):
        run = tuple(words[start : start + n])
        if run in seen:
            marked.update(range(start, start + n))
        seen.add(run)
    total = len(" ".join(words))
    return sum(len(words[place]) for place in marked) / total if total else 0.0
