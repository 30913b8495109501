# expect: what was taken is not given back
# means: A piece was given back for a shorter one, so that the rest fits: what was taken stays taken.
def pieces_of(word, vocabulary):
    def cut(rest, prefix):
        if not rest:
            return []
        for end in range(len(rest), 0, -1):
            if prefix + rest[:end] in vocabulary:
                after = cut(rest[end:], "##")
                if after is not None:
                    return [prefix + rest[:end], *after]
        return None

    found = cut(word, "") if len(word) <= 100 else None
    return found or ["[UNK]"]
