"""How good is it? Numbers for what a model wrote, and for how."""

from tinygrad_llm.evaluate.bleu import BLEU, clipped_matches, corpus_bleu
from tinygrad_llm.evaluate.heads import induction_score
from tinygrad_llm.evaluate.repetition import loop_period

__all__ = ["BLEU", "clipped_matches", "corpus_bleu", "induction_score", "loop_period"]
