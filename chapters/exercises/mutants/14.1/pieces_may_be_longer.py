# expect: one more is too long
# means: Words that are pieces themselves were returned before their length was looked at.
def pieces_of(word, vocabulary):
    if word in vocabulary:
        return [word]
    if len(word) > 100:
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
