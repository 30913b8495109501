# expect: you got
# means: A word that cannot be cut gave no pieces at all: it is one "[UNK]".
def pieces_of(word, vocabulary):
    if len(word) > 100:
        return ["[UNK]"]
    pieces, start = [], 0
    while start < len(word):
        prefix = "##" if start else ""
        for end in range(len(word), start, -1):
            if prefix + word[start:end] in vocabulary:
                break
        else:
            return []
        pieces.append(prefix + word[start:end])
        start = end
    return pieces
