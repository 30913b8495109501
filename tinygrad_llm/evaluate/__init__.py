"""How good is it? Numbers for what a model wrote, for how, and for what it knows by heart."""

from tinygrad_llm.evaluate.bleu import BLEU, clipped_matches, corpus_bleu
from tinygrad_llm.evaluate.heads import induction_score
from tinygrad_llm.evaluate.information import mutual_information, shuffled
from tinygrad_llm.evaluate.memorized import exposure
from tinygrad_llm.evaluate.repetition import loop_period

__all__ = [
    "BLEU",
    "clipped_matches",
    "corpus_bleu",
    "exposure",
    "induction_score",
    "loop_period",
    "mutual_information",
    "shuffled",
]  # fmt: skip
