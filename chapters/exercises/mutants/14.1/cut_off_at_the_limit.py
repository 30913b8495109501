# expect: one more is too long
# means: A word that is too long was cut off at LONGEST_WORD, and the rest dropped: it is unknown.
def pieces_of(word, vocabulary):
    word = word[:100]
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
