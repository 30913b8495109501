# expect: you got
# means: The pieces that were found before the unknown rest were kept: unknown is the whole word.
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
            return [*pieces, "[UNK]"]
        pieces.append(prefix + word[start:end])
        start = end
    return pieces
