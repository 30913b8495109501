"""Asking well: templates, examples, thoughts read for their answer, votes, a prompt's own bias, the texts of others."""

from tinygrad_llm.prompt.best_of_n import (
    Ranked,
    best_allowed,
    best_of_n,
    best_of_n_kl,
    best_of_n_probabilities,
    best_written,
    expected_best,
    rerank,
)
from tinygrad_llm.prompt.calibrate import CONTENT_FREE, ContextualCalibration
from tinygrad_llm.prompt.few_shot import balanced_examples, nearest_by_words, nearest_examples, random_examples
from tinygrad_llm.prompt.reasoning import Vote, majority, read_answer, read_choice, read_number
from tinygrad_llm.prompt.template import Filled, Part, PromptTemplate
from tinygrad_llm.prompt.tfidf import TfIdf
from tinygrad_llm.prompt.untrusted import datamarked, delimited, without

__all__ = [
    "CONTENT_FREE",
    "ContextualCalibration",
    "Filled",
    "Part",
    "PromptTemplate",
    "Ranked",
    "TfIdf",
    "Vote",
    "balanced_examples",
    "best_allowed",
    "best_of_n",
    "best_of_n_kl",
    "best_of_n_probabilities",
    "best_written",
    "datamarked",
    "delimited",
    "expected_best",
    "majority",
    "nearest_by_words",
    "nearest_examples",
    "random_examples",
    "read_answer",
    "read_choice",
    "read_number",
    "rerank",
    "without",
]
