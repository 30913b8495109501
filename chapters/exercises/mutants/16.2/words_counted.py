# expect: characters count and not words
# means: Words were counted, and not their characters.
def duplicate_ngram_share(words, n):
    seen, marked = set(), set()
    for start in range(len(words) - n + 1):
        run = tuple(words[start : start + n])
        if run in seen:
            marked.update(range(start, start + n))
        seen.add(run)
    return len(marked) / len(words) if words else 0.0
