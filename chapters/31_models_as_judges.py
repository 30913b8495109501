# %% [markdown]
# # 31 · Models as judges
#
# People are the measure, and people are slow. So one asks a model: which of these two answers is the better one? That
# is quick, and cheap, and it gives a number. What is that number worth?
#
# - **Builds on** 24 RLHF, 29 prompting, 30 text metrics and people.
# - **Reads** [`datasets/tastes.py`](../tinygrad_llm/datasets/tastes.py),
#   [`align/judge.py`](../tinygrad_llm/align/judge.py).
# - **Claim**: the sentence in `Chapter(…)` below. Its parts, each with its bound and, where there is one, its baseline,
#   are the `run.check(…)` of the last cell; [a recorded run](../docs/records/31/output.txt) shows them all.
# - **Departs from** the papers in this: …
# - **Run**: `python chapters/31_models_as_judges.py`. …

# %%
import numpy as np
from threadpoolctl import threadpool_limits

from tinygrad_llm.course.chapter import Chapter, table
from tinygrad_llm.datasets.tastes import People, Taste, generate_asked, write_answer

run = Chapter(
    "31",
    "…",
)
threadpool_limits(1, user_api="blas")  # matrices this small are done before a second core has woken up

# %% [markdown]
# ## 1 How well do people agree?

# %% [markdown]
# ## 2 Three judges


# %%
def judge(seed, asked, first, second):
    """How probable it is that people prefer the first answer, by the reward judge of this seed.  (B,)

    asked (list of `Asked`), first and second (lists of texts): B questions and two answers to each.
    """
    return People().probabilities(asked, first, second)


# %% [markdown]
# ## 3 One mark, or four?

# %% [markdown]
# ## 4 How sure is it?

# %% [markdown]
# ## 5 Who stands first, and who says more?

# %% [markdown]
# ## 6 Does it like its own?

# %% [markdown]
# ## 7 (fair: WEAT, names exchanged)

# %% [markdown]
# ## 8 (fair: captions)

# %% [markdown]
# ## 9 (fair: one page)

# %% [markdown]
# ## What did not come true
#
# **Exercises**: …


# %%
run.finish()
