# expect: you got
# means: The rest that no piece fits was dropped: the whole word is unknown then.
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
            return pieces
        pieces.append(prefix + word[start:end])
        start = end
    return pieces
