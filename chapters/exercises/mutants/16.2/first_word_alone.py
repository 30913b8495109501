# expect: the example
# means: Only the first word of a run that comes again was marked: all n words are.
def duplicate_ngram_share(words, n):
    seen, marked = set(), set()
    for start in range(len(words) - n + 1):
        run = tuple(words[start : start + n])
        if run in seen:
            marked.update([start])
        seen.add(run)
    total = sum(len(word) for word in words)
    return sum(len(words[place]) for place in marked) / total if total else 0.0
