# expect: what begins words does not go on one
# means: A piece was taken with or without ##, whichever there is: the first has none, and all others have it.
def pieces_of(word, vocabulary):
    if len(word) > 100:
        return ["[UNK]"]
    pieces, start = [], 0
    while start < len(word):
        found = None
        for end in range(len(word), start, -1):
            part = word[start:end]
            both = ["##" + part, part] if start else [part, "##" + part]
            found = next((piece for piece in both if piece in vocabulary), None)
            if found:
                break
        if not found:
            return ["[UNK]"]
        pieces.append(found)
        start = end
    return pieces
