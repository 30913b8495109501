"""Mistakes that this field has really made, or that lived here once, one list an area.

Each is a file of the package, what is right there (it stands there once), what was written instead, and its name.
"""

from __future__ import annotations

from tests.mutants.mistakes import (
    alignment,
    commands,
    course,
    data_quality,
    decoding,
    engine,
    evaluating,
    fairness,
    families,
    few_shot,
    finetuning,
    generation,
    long_context,
    models,
    reader,
    second_reader,
    third_reader,
    tokenizer_files,
    tokenizers,
    training,
    vision,
)  # fmt: skip

AREAS = (
    engine,
    models,
    families,
    few_shot,
    vision,
    training,
    generation,
    decoding,
    long_context,
    tokenizers,
    tokenizer_files,
    data_quality,
    finetuning,
    alignment,
    commands,
    course,
    evaluating,
    fairness,
    reader,
    second_reader,
    third_reader,
)
MISTAKES = [mistake for area in AREAS for mistake in area.MISTAKES]
