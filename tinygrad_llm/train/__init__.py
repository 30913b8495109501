"""Training: a step, a run, its checkpoints and its log."""

from tinygrad_llm.train.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from tinygrad_llm.train.config import PRESETS, TrainConfig
from tinygrad_llm.train.fit import fit
from tinygrad_llm.train.run import model_of, resume_run, start_run
from tinygrad_llm.train.step import EagerStep, Step, StepResult, ThreadedStep, count_targets
from tinygrad_llm.train.trainer import Interrupted, Trainer

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
    "count_targets",
    "fit",
    "load_checkpoint",
    "model_of",
    "resume_run",
    "save_checkpoint",
    "start_run",
]
