"""Alignment: a model that writes already learns what people would rather read."""

from tinygrad_llm.align.log_probs import Reference, answer_batch, answer_lengths, answer_log_probs, answer_mask, example
from tinygrad_llm.align.loss import AlignmentLoss
from tinygrad_llm.align.preference import LINKS, PREFERENCES, PreferenceConfig
from tinygrad_llm.align.preference_loss import PreferenceLoss, preference_batch, unpaired_batch, with_reference

__all__ = [
    "LINKS",
    "PREFERENCES",
    "AlignmentLoss",
    "PreferenceConfig",
    "PreferenceLoss",
    "Reference",
    "answer_batch",
    "answer_lengths",
    "answer_log_probs",
    "answer_mask",
    "example",
    "preference_batch",
    "unpaired_batch",
    "with_reference",
]
