"""How good is it? Numbers for what a model wrote, for how, and for what it knows by heart."""

from tinygrad_llm.evaluate.bleu import BLEU, clipped_matches, corpus_bleu
from tinygrad_llm.evaluate.heads import induction_score
from tinygrad_llm.evaluate.information import mutual_information, shuffled
from tinygrad_llm.evaluate.memorized import exposure
from tinygrad_llm.evaluate.repetition import loop_period
from tinygrad_llm.evaluate.scaling import (
    BESIROGLU,
    HOFFMANN,
    ScalingLaw,
    compute_optimal,
    fit_law,
    huber,
    law_objective,
    parabola_minimum,
    power_law,
    training_cost,
)

__all__ = [
    "BESIROGLU",
    "BLEU",
    "HOFFMANN",
    "ScalingLaw",
    "clipped_matches",
    "compute_optimal",
    "corpus_bleu",
    "exposure",
    "fit_law",
    "huber",
    "induction_score",
    "law_objective",
    "loop_period",
    "mutual_information",
    "parabola_minimum",
    "power_law",
    "shuffled",
    "training_cost",
]
