# expect: a word that is a piece
# means: The first piece was looked up with ##: it goes on nothing.
def pieces_of(word, vocabulary):
    if len(word) > 100:
        return ["[UNK]"]
    pieces, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            if "##" + word[start:end] in vocabulary:
                break
        else:
            return ["[UNK]"]
        pieces.append("##" + word[start:end])
        start = end
    return pieces
