# expect: a hundred characters are cut
# means: A word of exactly LONGEST_WORD characters was taken for too long.
def pieces_of(word, vocabulary):
    if len(word) >= 100:
        return ["[UNK]"]
    pieces, start = [], 0
    while start < len(word):
        prefix = "##" if start else ""
        for end in range(len(word), start, -1):
            if prefix + word[start:end] in vocabulary:
                break
        else:
            return ["[UNK]"]
        pieces.append(prefix + word[start:end])
        start = end
    return pieces
