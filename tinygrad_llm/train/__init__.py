"""Training: a step, a run, its checkpoints and its log."""

from tinygrad_llm.train.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from tinygrad_llm.train.config import PRESETS, TrainConfig
from tinygrad_llm.train.step import EagerStep, Step, StepResult, ThreadedStep
from tinygrad_llm.train.trainer import Interrupted, Trainer, model_of

__all__ = [
    "PRESETS",
    "Checkpoint",
    "EagerStep",
    "Interrupted",
    "Step",
    "StepResult",
    "ThreadedStep",
    "TrainConfig",
    "Trainer",
    "load_checkpoint",
    "model_of",
    "save_checkpoint",
]
