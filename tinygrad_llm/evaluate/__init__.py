"""How good is it? Numbers for what a model wrote, for how, for what it knows by heart and what it invents."""

from tinygrad_llm.evaluate.bleu import BLEU, clipped_matches, corpus_bleu
from tinygrad_llm.evaluate.hallucination import YesNo, invented, yes_no
from tinygrad_llm.evaluate.heads import induction_score
from tinygrad_llm.evaluate.memorized import exposure
from tinygrad_llm.evaluate.repetition import loop_period
from tinygrad_llm.evaluate.retrieval import recall_at

__all__ = [
    "BLEU",
    "YesNo",
    "clipped_matches",
    "corpus_bleu",
    "exposure",
    "induction_score",
    "invented",
    "loop_period",
    "recall_at",
    "yes_no",
]
