"""07.2  Perplexity and bits per byte.

A model gave each token of a text the probability exp(log_p), log_p an array (N,) in nats. Return three numbers:

    loss              nats a token
    perplexity        so many equally probable tokens would be as hard
    bits per byte     bits for all of the text, by its length in bytes as UTF-8

The third is the only one that may be compared between two models whose tokens differ. Why?
"""

import math


def measures(log_p, text):
    # >>> (loss, perplexity, bits per byte)
    loss = -log_p.mean()
    bits = -log_p.sum() / math.log(2)
    return loss, math.exp(loss), bits / len(text.encode("utf-8"))
    # <<<
