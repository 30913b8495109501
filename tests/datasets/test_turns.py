"""Several texts of one picture in a row: what is learned of them, and that each is read as if it stood there alone."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from tinygrad_llm import ops
from tinygrad_llm.datasets.turns import picture_rows, visible
from tinygrad_llm.errors import ArgumentError, ConfigError, ShapeError
from tinygrad_llm.models import CLIPVisionConfig, LlamaConfig, LLaVA, LLaVAConfig

IMAGE, START, END, PAD = 9, 8, 7, 0
IDS = {"image_id": IMAGE, "start_id": START, "end_id": END, "pad_id": PAD}
TURNS = [[([1, 2, 3], [4]), ([], [5, 6])], [([1], [2, 3])]]


def test_a_row_has_the_picture_and_then_its_texts():
    made = picture_rows(TURNS, 2, **IDS)
    assert made["tokens"].tolist() == [[9, 9, 8, 1, 2, 3, 4, 8, 5, 6], [9, 9, 8, 1, 2, 3, 0, 0, 0, 0]]
    assert made["segments"].tolist() == [[0, 0, 1, 1, 1, 1, 1, 2, 2, 2], [0, 0, 1, 1, 1, 1, -1, -1, -1, -1]]
    assert made["positions"].tolist() == [[0, 1, 2, 3, 4, 5, 6, 2, 3, 4], [0, 1, 2, 3, 4, 5, 0, 0, 0, 0]]


def test_the_next_token_is_learned_of_what_is_to_be_learned_and_then_the_end():
    no = ops.IGNORE
    expected = [[no, no, no, no, no, 4, 7, 5, 6, 7], [no, no, no, 2, 3, 7, no, no, no, no]]
    assert picture_rows(TURNS, 2, **IDS)["targets"].tolist() == expected


def test_one_sees_the_picture_and_one_s_own_text():
    segments = np.array([[0, 0, 1, 1, 2, -1], [0, 1, 2, 2, 3, 3]])
    found = visible(segments)
    assert found.shape == (2, 1, 6, 6) and found.dtype == bool
    for b, t, s in product(range(2), range(6), range(6)):
        assert found[b, 0, t, s] == (segments[b, s] in (0, segments[b, t]))


def test_a_row_costs_and_teaches_what_its_texts_do_alone():
    config = LLaVAConfig(CLIPVisionConfig(4, 2, 1, 1, 2, 8, 8), LlamaConfig(10, 16, 2, 2, 8, 8), IMAGE, -1)
    pictures = np.random.default_rng(0).normal(size=(2, 1, 4, 4))

    def learned(turns, pictures):
        model = LLaVA(config, rng=np.random.default_rng(1), dtype=np.float64)
        rows = picture_rows(turns, 4, **IDS)
        segments = rows.pop("segments")
        loss = model.loss(rows | {"pictures": pictures, "mask": visible(segments)})
        loss.backward()
        return loss.item(), {path: p.grad for path, p in model.named_parameters() if p.grad is not None}

    together = learned(TURNS, pictures)
    alone = learned([[turn] for row in TURNS for turn in row], pictures[[0, 0, 1]])
    assert together[0] == pytest.approx(alone[0], rel=1e-12)
    assert together[1].keys() == alone[1].keys()
    for path, gradient in together[1].items():
        np.testing.assert_allclose(gradient, alone[1][path], rtol=1e-9, atol=1e-12, err_msg=path)


@pytest.mark.parametrize("turns", [[], [[([1], [])]], [[([1], [2]), ([], [])]]])
def test_of_every_text_something_is_learned(turns):
    with pytest.raises(ArgumentError, match="turns"):
        picture_rows(turns, 2, **IDS)


def test_what_does_not_fit_is_refused():
    with pytest.raises((ArgumentError, ConfigError), match="places"):
        picture_rows(TURNS, 0, **IDS)
    with pytest.raises(ShapeError, match="segments"):
        visible(np.zeros(3, int))
