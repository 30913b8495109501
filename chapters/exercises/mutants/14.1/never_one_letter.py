# expect: a piece may be one letter
# means: No piece of one letter was looked up: the last end to be tried is the one right behind the start.
UNKNOWN = "[UNK]"
LONGEST_WORD = 100


def pieces_of(word, vocabulary):
    if len(word) > LONGEST_WORD:
        return [UNKNOWN]
    pieces, start = [], 0
    while start < len(word):
        for end in range(len(word), start + 1, -1):
            piece = ("##" if start else "") + word[start:end]
            if piece in vocabulary:
                break
        else:
            return [UNKNOWN]
        pieces.append(piece)
        start = end
    return pieces
