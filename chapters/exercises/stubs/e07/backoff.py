"""07.1  Counting, and backing off.

Two functions. Tokens are whole numbers.

    followers(tokens, n)        a dictionary: each context of n tokens that was followed by something, a tuple
                                -> an array (V,) of how often each token followed it, V = 1 + the largest token. The
                                context of 0 tokens is ().
    predict(tables, context)    tables[n] is followers(tokens, n). The shares (V,) of what followed the longest
                                ending of `context` that was seen: all of it if that was, else all but its oldest token,
                                and so on down to ().

A context may be longer than the longest that was counted.
"""

import numpy as np
from tinygrad_llm.course import Todo


def followers(tokens, n):
    raise Todo("{tuple of n tokens: counts (V,)}")


def predict(tables, context):
    raise Todo("shares (V,), from the longest ending that was seen")
