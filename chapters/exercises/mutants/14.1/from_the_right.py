# expect: the longest piece is taken
# means: The word was cut from its right: the longest piece that ends it first.
def pieces_of(word, vocabulary):
    if len(word) > 100:
        return ["[UNK]"]
    pieces, end = [], len(word)
    while end > 0:
        for start in range(end):
            piece = ("##" if start else "") + word[start:end]
            if piece in vocabulary:
                break
        else:
            return ["[UNK]"]
        pieces.insert(0, piece)
        end = start
    return pieces
