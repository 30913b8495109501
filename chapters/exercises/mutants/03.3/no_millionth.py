# expect: a millionth is added as pytorch does
# means: The norm was divided by as it is, without the 1e-6.
import math


def clip(gradients, max_norm):
    norm = math.sqrt(sum(float((g * g).sum()) for g in gradients))
    scale = min(1.0, max_norm / max(norm, 1e-30))
    return [g * scale for g in gradients], norm
