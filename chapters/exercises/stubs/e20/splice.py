"""20.3  A picture among words.

    splice(tokens, answer, table, features, image_id)    -> (x, positions, targets)

`tokens` (T,) are the ids of a text, exactly one of which is `image_id`. `table` (V, D) has the vector of each word,
`features` (N, D) those of the picture's N patches. In the place of the image token all N stand, in their order, and
what came behind it stands further back. So the text is M = T - 1 + N long, and of it the language model needs:

    x          (M, D)   the vectors that it reads
    positions  (M,)     where they stand, 0, 1, 2 and so on: each vector of the picture has a place of its own
    targets    (M,)     the token that has to be named at each place, or -100 where nothing is to be learned

At each place the *next* token is named. Learned are the words of the answer alone, those from tokens[answer] to the
end: the question was given, and vectors of patches are no words. So the first target stands one place before the
answer begins, and at the last place, after which nothing comes, there is none. The answer stands behind the picture.
"""

import numpy as np
from tinygrad_llm.course import Todo

IGNORE = -100


def splice(tokens, answer, table, features, image_id):
    tokens = np.asarray(tokens)
    raise Todo("x, positions, targets")
