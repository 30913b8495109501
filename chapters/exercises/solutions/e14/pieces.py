"""14.1  Cut a word into pieces.

`vocabulary` has an id for each piece. Only whether a piece is in it matters here. A piece that goes on a word is
written with ## before it, so "able" may begin a word, and "##able" may not:

    {"un": 0, "##able": 1, "##a": 2}      unable  ->  un ##able

Go from the left, and each time take the longest piece that fits; what was taken is never given back. If somewhere none
fits, the whole word is one UNKNOWN, with nothing beside it. So is a word of more than LONGEST_WORD characters, without
a look at the vocabulary.

Return the list of pieces, as they stand in the vocabulary.
"""

UNKNOWN = "[UNK]"
LONGEST_WORD = 100  # BERT's


def pieces_of(word, vocabulary):
    # >>> a list of pieces
    if len(word) > LONGEST_WORD:
        return [UNKNOWN]
    pieces, start = [], 0
    while start < len(word):
        prefix = "##" if start else ""
        for end in range(len(word), start, -1):
            piece = prefix + word[start:end]
            if piece in vocabulary:
                break
        else:
            return [UNKNOWN]
        pieces.append(piece)
        start = end
    return pieces
    # <<<
