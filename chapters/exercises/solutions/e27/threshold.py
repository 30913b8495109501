"""27.3  Where to put the threshold.

What scores at least the threshold t is called unsafe, and thrown away. The lower t, the more unsafe answers are found,
and the more safe ones are lost with them. So t is to be as large as it can be, while of the unsafe answers at least a
share `tpr` is still found. A share that falls short of `tpr` by rounding alone is enough: for 0.1 * 3, which is
0.30000000000000004, three of ten are.

`threshold_for(scores, labels, tpr)`: scores (N,); labels (N,), 1 where the answer is unsafe, else 0; 0 < tpr <= 1.
Returns one of the scores.
"""

import numpy as np


def threshold_for(scores, labels, tpr):
    # >>> a number
    unsafe = np.sort(np.asarray(scores, float)[np.asarray(labels) > 0])[::-1]
    return float(unsafe[int(np.ceil(tpr * len(unsafe) - 1e-9)) - 1])
    # <<<
