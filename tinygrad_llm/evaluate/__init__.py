"""How good is it? Numbers for what a model wrote, for how, and for what it knows by heart."""

from tinygrad_llm.evaluate.agreement import cohen_kappa, fleiss_kappa, krippendorff_alpha
from tinygrad_llm.evaluate.answers import answer_f1, exact_match
from tinygrad_llm.evaluate.bertscore import bert_score, greedy_match, idf_weights
from tinygrad_llm.evaluate.bleu import BLEU, clipped_matches, corpus_bleu
from tinygrad_llm.evaluate.bootstrap import Interval, PairedBootstrap, bootstrap_interval, paired_bootstrap
from tinygrad_llm.evaluate.calibration import Reliability, brier_score, calibration_error, reliability
from tinygrad_llm.evaluate.chrf import CHRF, corpus_chrf
from tinygrad_llm.evaluate.diversity import distinct_n, self_bleu
from tinygrad_llm.evaluate.heads import induction_score
from tinygrad_llm.evaluate.memorized import exposure
from tinygrad_llm.evaluate.overlap import Overlap
from tinygrad_llm.evaluate.paired_tests import SignTest, randomization_test, sign_test
from tinygrad_llm.evaluate.recalibrate import Isotonic, fit_isotonic, fit_temperature
from tinygrad_llm.evaluate.repetition import loop_period
from tinygrad_llm.evaluate.rouge import rouge_l, rouge_lsum, rouge_n
from tinygrad_llm.evaluate.strengths import BradleyTerry, bradley_terry, elo
from tinygrad_llm.evaluate.ter import TER, corpus_ter

__all__ = [
    "BLEU",
    "CHRF",
    "TER",
    "BradleyTerry",
    "Interval",
    "Isotonic",
    "Overlap",
    "PairedBootstrap",
    "Reliability",
    "SignTest",
    "answer_f1",
    "bert_score",
    "bootstrap_interval",
    "bradley_terry",
    "brier_score",
    "calibration_error",
    "clipped_matches",
    "cohen_kappa",
    "corpus_bleu",
    "corpus_chrf",
    "corpus_ter",
    "distinct_n",
    "elo",
    "exact_match",
    "exposure",
    "fit_isotonic",
    "fit_temperature",
    "fleiss_kappa",
    "greedy_match",
    "idf_weights",
    "induction_score",
    "krippendorff_alpha",
    "loop_period",
    "paired_bootstrap",
    "randomization_test",
    "reliability",
    "rouge_l",
    "rouge_lsum",
    "rouge_n",
    "self_bleu",
    "sign_test",
]
