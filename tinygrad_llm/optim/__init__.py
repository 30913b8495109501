"""Optimizers on flat storage, clipping, and learning-rate schedules."""

from tinygrad_llm.optim.adamw import AdamW
from tinygrad_llm.optim.clip import clip_grad_norm, clip_scale, sum_of_squares
from tinygrad_llm.optim.flat import FlatParameters, matrices_decay
from tinygrad_llm.optim.optimizer import Optimizer
from tinygrad_llm.optim.schedule import SCHEDULES, Schedule, schedule
from tinygrad_llm.optim.sgd import SGD

__all__ = [
    "SCHEDULES",
    "SGD",
    "AdamW",
    "FlatParameters",
    "Optimizer",
    "Schedule",
    "clip_grad_norm",
    "clip_scale",
    "matrices_decay",
    "schedule",
    "sum_of_squares",
]
