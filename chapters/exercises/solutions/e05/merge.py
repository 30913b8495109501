"""05.2  A merge.

Replace every `pair` of neighbours in `word`, a sequence of ids, by the id `new`. Go from the left, and let no id take
part in two pairs: with the pair (1, 1) and the new id 9 the word [1, 1, 1] becomes [9, 1]. The
id `new` may be half of `pair` itself; it is not joined again. Return a new list (or tuple); leave `word` as it is.
"""


def merge_pair(word, pair, new):
    # >>> a new list
    out, i = [], 0
    while i < len(word):
        if tuple(word[i : i + 2]) == pair:
            out.append(new)
            i += 2
        else:
            out.append(word[i])
            i += 1
    return out
    # <<<
