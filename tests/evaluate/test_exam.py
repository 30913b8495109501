"""What is counted of answers, choices and texts, and of files of predictions."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_llm.errors import ArgumentError, DataError
from tinygrad_llm.evaluate import Prediction, brier_score, calibration_error, compare, holm, measure
from tinygrad_llm.evaluate.ask import Examinee
from tinygrad_llm.evaluate.exam import (
    KNOWN,
    Exam,
    exam_comparison,
    exam_scores,
    prediction_comparison,
    prediction_scores,
    sit,
)
from tinygrad_llm.evaluate.task import Choice, Passage, Question

TASKS = [
    Question(1, "q", ("yes",)), Choice(2, "c", (" a", " bcd"), 1), Passage(3, "text"), Question(4, "r", ("no", "never")),
    Choice(5, "d", (" e", " f", " g"), 0), Passage(6, "more text"),
]  # fmt: skip
NATS = [np.log([0.6, 0.4]), np.log([0.5, 0.3, 0.2])]
EXAM = Exam(TASKS, ["yes", "maybe"], NATS, np.array([[4.0, 4], [6, 1]]))
OTHER = Exam(TASKS, ["no", "never"], [np.log([0.1, 0.9]), np.log([0.1, 0.2, 0.7])], np.array([[2.0, 4], [3, 1]]))


def rng():
    return np.random.default_rng(0)


def by_name(scores):
    return {one.name: one.score for part in scores.values() for one in part}


def test_what_was_said_stands_in_the_order_of_the_file():
    assert EXAM.predictions() == [
        Prediction("yes", ("yes",), None, "q"), Prediction("a", ("bcd",), pytest.approx(0.6), "c"),
        Prediction("maybe", ("no", "never"), None, "r"), Prediction("e", ("e",), pytest.approx(0.5), "d"),
    ]  # fmt: skip
    assert [one.prompt for one in EXAM.predictions(Question)] == ["q", "r"]


def test_each_part_has_its_scores():
    scores = exam_scores(EXAM, resamples=99, rng=rng())
    assert list(scores) == ["Answers", "Choices", "Texts"]
    found = by_name(scores)
    assert found.keys() == set(KNOWN)
    assert found["exact-match"] == 0.5 and found["accuracy"] == 0.5 and found["bits-per-byte"] == 2
    # by byte: ln .6 / 2 against ln .4 / 4 takes the second, the right one
    assert found["accuracy-by-byte"] == 1
    assert found["brier"] == pytest.approx(brier_score([0.6, 0.5], [0, 1]))
    assert found["ece"] == pytest.approx(calibration_error([0.6, 0.5], [0, 1]))


def test_metrics_that_are_named_are_all_that_is_counted():
    assert by_name(exam_scores(EXAM, ["accuracy", "f1"], resamples=9, rng=rng())).keys() == {"accuracy", "f1"}
    assert by_name(exam_scores(EXAM, ["bits-per-byte"], resamples=9, rng=rng())) == {"bits-per-byte": 2}
    only_texts = Exam(TASKS[2:3], [], [], np.array([[4.0, 4]]))
    assert list(exam_scores(only_texts, resamples=9, rng=rng())) == ["Texts"]
    for names, error, words in (
        (["bleu"], DataError, "bits-per-byte|others"),
        (["blue"], ArgumentError, "Did you mean bleu"),
    ):
        with pytest.raises(error, match=words):
            exam_scores(only_texts, names, resamples=9, rng=rng())


def test_a_file_of_predictions_is_measured_as_its_texts_are():
    said = [Prediction("a b", ("a b",), 0.9), Prediction("c", ("d", "e"), 0.6)]
    found = by_name(prediction_scores(said, resamples=50, rng=rng()))
    texts = measure([], ["a b", "c"], [["a b"], ["d", "e"]], resamples=50, rng=rng())
    assert found == {one.name: one.score for one in texts} | {
        "ece": pytest.approx(calibration_error([0.9, 0.6], [1, 0])), "brier": pytest.approx(brier_score([0.9, 0.6], [1, 0])),
    }  # fmt: skip
    assert by_name(prediction_scores(said, ["brier"], resamples=9, rng=rng())).keys() == {"brier"}
    unsure = [said[0], Prediction("c", ("d",))]
    assert "brier" not in by_name(prediction_scores(unsure, resamples=9, rng=rng()))
    with pytest.raises(DataError, match="brier"):
        prediction_scores(unsure, ["brier"], resamples=9, rng=rng())


def test_two_exams_are_compared_part_by_part_and_holm_knows_them_all():
    found = {one.name: one for one in exam_comparison(EXAM, OTHER, resamples=200, rng=rng())}
    assert found.keys() == set(KNOWN) - {"ece"}
    assert (found["accuracy"].first, found["accuracy"].second) == (0.5, 0.5)
    assert found["bits-per-byte"].second == 1 and found["bits-per-byte"].losses == 2 and found["bits-per-byte"].lower
    assert found["brier"].first == pytest.approx(brier_score([0.6, 0.5], [0, 1]))
    assert found["brier"].second == pytest.approx(brier_score([0.9, 0.7], [1, 0]))
    assert all(one.holm >= one.p_value for one in found.values())
    (one,) = exam_comparison(EXAM, OTHER, ["accuracy"], resamples=200, rng=rng())
    assert one.holm == one.p_value
    with pytest.raises(DataError, match="ece"):
        exam_comparison(EXAM, OTHER, ["ece"], resamples=9, rng=rng())


def test_holms_p_holds_for_all_parts_together():
    draw = rng()
    tasks = [Choice(i, "c", (" a", " b"), 0) for i in range(30)] + [Passage(i, "t") for i in range(30)]
    exams = [
        Exam(tasks, [], [draw.normal([m, 0]) for _ in range(30)], draw.normal([9 - m, 9], 0.5, (30, 2))) for m in (2, 0)
    ]
    found = exam_comparison(*exams, resamples=999, rng=rng())
    assert [one.name for one in found] == ["accuracy", "accuracy-by-byte", "brier", "bits-per-byte"]
    p_values = [one.p_value for one in found]
    assert (
        min(p_values) == 0.001 and np.allclose([one.holm for one in found], holm(p_values)) and found[-1].holm == 0.004
    )


def test_two_files_are_compared_by_texts():
    one, other = EXAM.predictions(Question), OTHER.predictions(Question)
    found = prediction_comparison(one, other, ["f1"], test="bootstrap", resamples=99, rng=rng())
    texts = ["yes", "maybe"], ["no", "never"], [["yes"], ["no", "never"]]
    assert found == compare(["f1"], *texts, test="bootstrap", resamples=99, rng=rng())
    with pytest.raises(DataError, match="accuracy"):
        prediction_comparison(one, other, ["accuracy"], resamples=9, rng=rng())


def test_a_model_sits_for_all_of_it(monkeypatch):
    monkeypatch.setattr(Examinee, "answers", lambda self, tasks: [task.prompt for task in tasks])
    monkeypatch.setattr(Examinee, "choices", lambda self, tasks: [task.choices for task in tasks])
    monkeypatch.setattr(Examinee, "passages", lambda self, tasks: [task.text for task in tasks])
    found = sit(Examinee(None, None), TASKS)
    assert (found.answers, found.log_probs, found.bits) == (
        ["q", "r"],
        [(" a", " bcd"), (" e", " f", " g")],
        ["text", "more text"],
    )
    assert len(sit(Examinee(None, None), TASKS[:2]).bits) == 0
