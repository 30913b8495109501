"""16.2  What stood there before.

Gopher drops a page if too many of its characters lie in runs of n words that stood there before. `words` is the page, a
list of words. A run is n words in a row, and runs overlap. Where a run comes that came earlier in the page, all its
words are marked:

    n = 2      a  bb  ccc  a  bb  ccc  d         "a bb" comes again at place 3, "bb ccc" at place 4
                           =  ==  ===            marked

Return the characters in marked words, divided by the characters in all words: here 6 / 13. Spaces do not count. The
first occurrence of a run is not marked, and a word in two such runs counts once. A page without words, or of fewer than
n, has 0.
"""

from tinygrad_llm.course import Todo


def duplicate_ngram_share(words, n):
    raise Todo("a share, 0 to 1")
