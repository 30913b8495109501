# expect: you got
# means: A letter that no piece fits was skipped, and the rest cut on: the whole word is unknown then.
def pieces_of(word, vocabulary):
    if len(word) > 100:
        return ["[UNK]"]
    pieces, start = [], 0
    while start < len(word):
        prefix = "##" if start else ""
        for end in range(len(word), start, -1):
            if prefix + word[start:end] in vocabulary:
                pieces.append(prefix + word[start:end])
                start = end
                break
        else:
            start += 1
    return pieces
