"""28.2  The repetition penalty.

Every word that the text has already, prompt and all, becomes less likely:

    a logit above 0 is divided by the penalty, any other is multiplied by it

once, however often the word came. Keskar et al. (2019), who proposed it, divide always; transformers does as here.
What would dividing do to a logit of -2?

`penalized(logits, text, penalty)`: logits (V,), the ids of the text so far, a list; returns new logits (V,) and leaves
those that it was given as they are.
"""

import numpy as np


def penalized(logits, text, penalty):
    # >>> (V,)
    seen = np.unique(np.array(text, int))
    out, above = logits.copy(), logits[seen] > 0
    out[seen] = np.where(above, logits[seen] / penalty, logits[seen] * penalty)
    return out
    # <<<
