"""How good is it? Numbers for what a model wrote."""

from tinygrad_llm.evaluate.bleu import BLEU, clipped_matches, corpus_bleu
from tinygrad_llm.evaluate.memorized import exposure

__all__ = ["BLEU", "clipped_matches", "corpus_bleu", "exposure"]
