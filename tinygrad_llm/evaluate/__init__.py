"""How good is it? Numbers for what a model wrote, for how, and for what it knows by heart.

What lets a model answer a file of tasks, and writes a report, stands in `task`, `ask`, `exam` and `report`, which are
imported by name: metrics alone need no generation and no figures.
"""

from tinygrad_llm.evaluate.agreement import cohen_kappa, fleiss_kappa, krippendorff_alpha
from tinygrad_llm.evaluate.answers import answer_f1, exact_match
from tinygrad_llm.evaluate.association import WEAT, Regrouped, associations, regroup, weat
from tinygrad_llm.evaluate.bertscore import bert_score, greedy_match, idf_weights
from tinygrad_llm.evaluate.bleu import BLEU, clipped_matches, corpus_bleu
from tinygrad_llm.evaluate.bootstrap import Interval, PairedBootstrap, bootstrap_interval, paired_bootstrap
from tinygrad_llm.evaluate.calibration import Reliability, brier_score, calibration_error, reliability
from tinygrad_llm.evaluate.chrf import CHRF, corpus_chrf
from tinygrad_llm.evaluate.compare import Compared, compare, holm
from tinygrad_llm.evaluate.diversity import distinct_n, self_bleu
from tinygrad_llm.evaluate.frontier import divergence_frontier, mauve
from tinygrad_llm.evaluate.goals import Goal, decide
from tinygrad_llm.evaluate.hallucination import YesNo, invented, yes_no
from tinygrad_llm.evaluate.heads import induction_score
from tinygrad_llm.evaluate.information import mutual_information, shuffled
from tinygrad_llm.evaluate.jackknife import jackknife_interval
from tinygrad_llm.evaluate.length_control import ControlledWins, controlled_wins, length_difference
from tinygrad_llm.evaluate.measure import Measured, measure
from tinygrad_llm.evaluate.memorized import exposure
from tinygrad_llm.evaluate.meteor import METEOR, meteor
from tinygrad_llm.evaluate.overlap import Overlap
from tinygrad_llm.evaluate.paired_tests import SignTest, randomization_test, sign_test
from tinygrad_llm.evaluate.pass_at_k import pass_at_k
from tinygrad_llm.evaluate.perplexity import Perplexity, perplexity
from tinygrad_llm.evaluate.predictions import Prediction, read_predictions, write_predictions
from tinygrad_llm.evaluate.recalibrate import Isotonic, fit_isotonic, fit_temperature
from tinygrad_llm.evaluate.repetition import loop_period
from tinygrad_llm.evaluate.retrieval import recall_at
from tinygrad_llm.evaluate.roc import ROC, roc_auc, roc_curve, threshold_for
from tinygrad_llm.evaluate.rouge import rouge_l, rouge_lsum, rouge_n
from tinygrad_llm.evaluate.rows import METRICS
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
from tinygrad_llm.evaluate.strengths import BradleyTerry, bradley_terry, elo
from tinygrad_llm.evaluate.ter import TER, corpus_ter

__all__ = [
    "BESIROGLU",
    "BLEU",
    "CHRF",
    "HOFFMANN",
    "METEOR",
    "METRICS",
    "ROC",
    "TER",
    "WEAT",
    "BradleyTerry",
    "Compared",
    "ControlledWins",
    "Goal",
    "Interval",
    "Isotonic",
    "Measured",
    "Overlap",
    "PairedBootstrap",
    "Perplexity",
    "Prediction",
    "Regrouped",
    "Reliability",
    "ScalingLaw",
    "SignTest",
    "YesNo",
    "answer_f1",
    "associations",
    "bert_score",
    "bootstrap_interval",
    "bradley_terry",
    "brier_score",
    "calibration_error",
    "clipped_matches",
    "cohen_kappa",
    "compare",
    "compute_optimal",
    "controlled_wins",
    "corpus_bleu",
    "corpus_chrf",
    "corpus_ter",
    "decide",
    "distinct_n",
    "divergence_frontier",
    "elo",
    "exact_match",
    "exposure",
    "fit_isotonic",
    "fit_law",
    "fit_temperature",
    "fleiss_kappa",
    "greedy_match",
    "holm",
    "huber",
    "idf_weights",
    "induction_score",
    "invented",
    "jackknife_interval",
    "krippendorff_alpha",
    "law_objective",
    "length_difference",
    "loop_period",
    "mauve",
    "measure",
    "meteor",
    "mutual_information",
    "paired_bootstrap",
    "parabola_minimum",
    "pass_at_k",
    "perplexity",
    "power_law",
    "randomization_test",
    "read_predictions",
    "recall_at",
    "regroup",
    "reliability",
    "roc_auc",
    "roc_curve",
    "rouge_l",
    "rouge_lsum",
    "rouge_n",
    "self_bleu",
    "shuffled",
    "sign_test",
    "threshold_for",
    "training_cost",
    "weat",
    "write_predictions",
    "yes_no",
]
