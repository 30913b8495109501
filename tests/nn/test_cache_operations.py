"""A cache's operations, one by one: what goes on after each is the whole text, and no cache reaches into another."""

from __future__ import annotations

import numpy as np
import pytest
from cached_models import EQUAL, KINDS, RECURRENT, VOCABULARY, WINDOW, Texts, check, read

from tinygrad_llm.autograd import Tensor, no_grad
from tinygrad_llm.errors import ArgumentError, GradientError, ShapeError
from tinygrad_llm.nn import LSTM, Attention, KVCache, StateCache


def chosen(found: Texts, rows: list[int]) -> None:
    found.texts, found.sources = (
        [x[i] if x[i] is None else list(x[i]) for i in rows] for x in (found.texts, found.sources)
    )


@pytest.mark.parametrize(
    "what", ["nothing", "chosen", "twice the same", "repeated", "replaced", "begun anew", "cropped"]
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_long_text_goes_on_after_each_operation(kind, what):
    """Long enough for the window to have dropped much, before and after."""
    found, rng = Texts(kind, 3, 3, 2), np.random.default_rng(3)
    for size in (5, 3, 1):
        check(found, read(found, rng.integers(0, VOCABULARY, (3, size))))
    window, start = getattr(found.cache, "window", None), getattr(found.cache, "start", None)
    rows = {"chosen": [2, 0], "twice the same": [1, 1, 2], "repeated": [0, 0, 1, 1, 2, 2], "begun anew": [2, 0, 1]}.get(
        what, [0, 1, 2]
    )
    if what in ("chosen", "twice the same"):
        found.cache = found.cache.select(rows)
        chosen(found, rows)
    elif what == "repeated":
        found.cache = found.cache.repeat(2)
        chosen(found, rows)
    elif what == "replaced":
        other = found.cache.select([2, 0])
        found.cache.put([0, 1], other)
        rows = [2, 0, 2]
        if kind == "decoder":  # a row's source comes along
            found.sources = [found.sources[i] for i in rows]
        found.texts = [list(found.texts[i]) for i in rows]
    elif what == "begun anew":
        found.cache = found.cache.fresh(rows)  # of which encoders' texts stay
        chosen(found, rows)
        found.texts = [[] for _ in rows]
    elif what == "cropped":
        found.cache.crop([9, 9, 9] if kind in RECURRENT else [9, 8, 7])
        found.texts = [text[:n] for text, n in zip(found.texts, found.cache.lengths)]
    assert found.cache.lengths.tolist() == [len(text) for text in found.texts]
    if window is not None or start is not None:
        assert found.cache.window == window
        assert found.cache.start.tolist() == [0 if what == "begun anew" else start[i] for i in rows]
    for _ in range(9):
        check(found, read(found, rng.integers(0, VOCABULARY, (len(rows), 1))))
    if window is not None:
        assert found.cache[0].keys.shape[2] <= 16, "the window is kept, so memory is bounded"


@pytest.mark.parametrize("kind", RECURRENT)
def test_a_cropped_state_is_that_of_the_token_it_ends_with_and_cannot_be_cropped_again(kind):
    for keep in ([8, 8], [7, 6], [6, 8]):
        found, rng = Texts(kind, 3, 2, 2), np.random.default_rng(3)
        for size in (5, 3):
            read(found, rng.integers(0, VOCABULARY, (2, size)))
        found.cache.crop(keep)
        found.texts = [text[:n] for text, n in zip(found.texts, keep)]
        with pytest.raises(ArgumentError, match="lengths"):
            found.cache.crop([n - 1 for n in keep])
        found.cache.crop(keep)  # to where it is: nothing happens
        check(found, read(found, rng.integers(0, VOCABULARY, (2, 2))))


@pytest.mark.parametrize("kind", KINDS)
def test_no_crop_lengthens_and_none_holds_the_lengths_it_was_given(kind):
    found = Texts(kind, 3, 2, 2)
    read(found, np.random.default_rng(3).integers(0, VOCABULARY, (2, 3)))
    for wrong in ([4, 3], [3, 4], [-1, 3], [3], [3, 3, 3]):
        with pytest.raises((ArgumentError, ShapeError), match="lengths"):
            found.cache.crop(wrong)
    lengths = np.array([3, 2])
    found.cache.crop(lengths)
    lengths[:] = 0
    assert found.cache.lengths.tolist() == [3, 2]


@pytest.mark.parametrize("capacity", [0, 1, 3, 64])
def test_a_cache_begins_with_any_room(capacity):
    assert KVCache(1, 1, capacity=capacity).capacity == max(1, capacity)
    found, rng = Texts("gpt", 3, 2, capacity), np.random.default_rng(3)
    for size in (4, 1, 2):
        check(found, read(found, rng.integers(0, VOCABULARY, (2, size))))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_put_into_one_cache_does_not_reach_another(kind):
    found, rng = Texts(kind, 3, 3, 4), np.random.default_rng(3)
    read(found, rng.integers(0, VOCABULARY, (3, 4)))
    twin, kept = found.cache.select([0, 1, 2]), [list(text) for text in found.texts]
    sources = list(found.sources)
    found.cache.put([0], twin.select([2]))
    found.texts[0] = list(kept[2])
    if kind == "decoder":
        found.sources[0] = found.sources[2]
    check(found, read(found, rng.integers(0, VOCABULARY, (3, 1))))
    found.cache, found.texts, found.sources = twin, kept, sources
    check(found, read(found, rng.integers(0, VOCABULARY, (3, 1))))


@pytest.mark.parametrize("kind", RECURRENT)
def test_what_is_put_does_not_reach_what_was_answered(kind):
    found, tokens = Texts(kind, 3, 2, 4), np.array([[1, 2, 3], [4, 5, 6]])
    with no_grad():
        states = found.model.hidden(tokens, cache=found.cache)
    kept = states.data.copy()
    found.cache.put([0], found.cache.select([1]))
    np.testing.assert_array_equal(states.data, kept)


def test_a_window_drops_nothing_while_less_than_two_are_in_memory():
    found, rng = Texts("window in the cache", 3, 1, 2), np.random.default_rng(3)
    for size in (2 * WINDOW - 1, 1):
        check(found, read(found, rng.integers(0, VOCABULARY, (1, size))))
    found.cache.crop([1])
    found.texts = [found.texts[0][:1]]
    check(found, read(found, rng.integers(0, VOCABULARY, (1, 2))))


def test_each_kind_of_cache_refuses_what_would_lose_a_gradient():
    rng = np.random.default_rng(0)
    layer, x, frozen = Attention(4, 2, rng=rng), Tensor(np.ones((1, 2, 4), np.float32)), Attention(4, 2, rng=rng)
    for p in frozen.parameters():
        p.requires_grad = False
    lstm = LSTM(4, 3, rng=rng)
    for call in (
        lambda: layer(x, cache=KVCache(1, 1)[0]),
        lambda: layer(x, x, cache=KVCache(1, 1).cross[0]),
        lambda: frozen(Tensor(x.data, requires_grad=True), cache=KVCache(1, 1)[0]),
        lambda: frozen(x, Tensor(x.data, requires_grad=True), cache=KVCache(1, 1).cross[0]),
        lambda: StateCache(1, 1).remember(0, lstm.sequence(x)),
    ):
        with pytest.raises(GradientError, match="no_grad"):
            call()
        with no_grad():
            call()
    frozen(x, cache=KVCache(1, 1)[0])


def test_a_cache_of_a_source_is_chosen_and_replaced_row_by_row():
    rng = np.random.default_rng(0)
    layer = Attention(4, 2, rng=rng, dtype=np.float64)
    source, x = Tensor(rng.normal(size=(3, 5, 4))), Tensor(rng.normal(size=(3, 1, 4)))
    lengths = np.array([5, 2, 3])

    def answers(cache, rows):
        with no_grad():
            found = layer(x, source, lengths=lengths, cache=cache.cross[0]).data
            expected = layer(x, Tensor(source.data[rows]), lengths=lengths[rows]).data
        np.testing.assert_allclose(found, expected, **EQUAL)

    first = KVCache(1, 3)
    answers(first, [0, 1, 2])
    second = first.select([1, 0, 2])
    answers(second, [1, 0, 2])
    first.put([2, 0], second.select([0, 1]))
    answers(first, [0, 1, 1])
    first.put([0], second.select([0]))
    answers(first, [1, 1, 1])
    answers(second, [1, 0, 2])


@pytest.mark.parametrize("make", [lambda: KVCache(1, 2), lambda: StateCache(1, 2)], ids=["keys", "states"])
def test_lengths_that_were_read_stay_as_they_were(make):
    cache = make()
    read_before = cache.lengths
    cache.advance(3)
    assert read_before.tolist() == [0, 0] and cache.lengths.tolist() == [3, 3]


def test_a_state_in_which_rows_were_put_goes_back_no_more():
    cache, other = StateCache(1, 2), StateCache(1, 1)
    for each, rows in ((cache, 2), (other, 1)):
        each.remember(0, [Tensor(np.ones((rows, 3, 4), np.float32))])
        each.advance(3)
    cache.put([1], other)
    with pytest.raises(ArgumentError):
        cache.crop([2, 2])
    cache.crop([3, 3])
