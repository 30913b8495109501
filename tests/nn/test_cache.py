"""What is read through a cache, in whatever pieces and rows, gives what one pass over the whole text gives."""

from __future__ import annotations

import numpy as np
import pytest
from cached_models import KINDS, RECURRENT, VOCABULARY, WINDOW, Texts, check, language_model, read
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_llm.autograd import Tensor, no_grad
from tinygrad_llm.errors import ArgumentError, GradientError, ShapeError
from tinygrad_llm.models.base import LanguageModel
from tinygrad_llm.nn import KVCache, StateCache

SOME = settings(max_examples=settings().max_examples // 4)  # each is many passes
kinds, seeds, capacities = st.sampled_from(KINDS), st.integers(0, 999), st.sampled_from([1, 2, 5, 64])


@SOME
@given(kind=kinds, seed=seeds, rows=st.integers(1, 3), sizes=st.lists(st.integers(1, 5), min_size=1, max_size=6),
       capacity=capacities)  # fmt: skip
def test_a_text_in_pieces_is_the_whole_text(kind, seed, rows, sizes, capacity):
    sizes = sizes[: max(1, np.searchsorted(np.cumsum(sizes), 24, "right"))]
    found, rng = Texts(kind, seed, rows, capacity), np.random.default_rng(seed)
    for size in sizes:
        check(found, read(found, rng.integers(0, VOCABULARY, (rows, size))))


@SOME
@given(kind=kinds, seed=seeds, lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4),
       sizes=st.lists(st.integers(1, 3), max_size=5), capacity=capacities)  # fmt: skip
def test_rows_of_different_lengths_are_read_at_once(kind, seed, lengths, sizes, capacity):
    found, rng = Texts(kind, seed, len(lengths), capacity), np.random.default_rng(seed)
    tokens = rng.integers(0, VOCABULARY, (len(lengths), max(lengths)))
    with no_grad():
        last = found.model.next_logits(tokens, lengths=lengths, cache=found.cache).data
    found.cache.crop(lengths)
    found.texts = [list(map(int, row[:n])) for row, n in zip(tokens, lengths)]
    check(found, last[:, None])
    for size in sizes:
        check(found, read(found, rng.integers(0, VOCABULARY, (len(lengths), size))))


def changed(found: Texts, what: str, rng: np.random.Generator, last: int) -> None:
    """One of a cache's operations, done to the texts as well; `last` tokens were read last."""
    rows = len(found.texts)
    if what == "crop":
        back = rng.integers(0, last, rows) if last else np.zeros(rows, int)
        dropped = getattr(found.cache, "start", np.zeros(rows, int))
        keep = np.array([len(text) for text in found.texts]) - back
        keep = np.where(dropped > 0, np.maximum(keep, np.minimum(dropped + WINDOW - 1, keep + back)), keep)
        found.cache.crop(keep)
        found.texts = [text[:n] for text, n in zip(found.texts, keep)]
    elif what == "select":
        chosen = rng.integers(0, rows, rng.integers(1, 4))
        found.cache = found.cache.select(chosen)
        found.texts, found.sources = (
            [list(x[i]) if x[i] else x[i] for i in chosen] for x in (found.texts, found.sources)
        )
    elif what == "repeat" and rows < 4:
        found.cache = found.cache.repeat(2)
        found.texts, found.sources = ([list(x[i // 2]) if x[i // 2] else x[i // 2] for i in range(2 * rows)]
                                      for x in (found.texts, found.sources))  # fmt: skip
    elif what == "put":
        chosen = np.sort(rng.permutation(rows)[: rng.integers(1, rows + 1)])
        other = found.cache.fresh(chosen)
        for size in rng.integers(1, 5, rng.integers(0, 3)):
            tokens = rng.integers(0, VOCABULARY, (len(chosen), size))
            with no_grad():
                found.model(tokens, cache=other)
            for number, row in enumerate(chosen):
                begun = found.texts[row] if other.lengths[number] > size else []
                found.texts[row] = begun + list(map(int, tokens[number]))
        for number, row in enumerate(chosen):
            found.texts[row] = found.texts[row] if other.lengths[number] else []
        found.cache.put(chosen, other)


@SOME
@given(kind=kinds, seed=seeds, operations=st.lists(st.sampled_from(["crop", "select", "repeat", "put"]), max_size=6),
       capacity=capacities)  # fmt: skip
def test_rows_are_cropped_chosen_repeated_and_replaced(kind, seed, operations, capacity):
    found, rng = Texts(kind, seed, 2, capacity), np.random.default_rng([seed, 3])
    check(found, read(found, rng.integers(0, VOCABULARY, (2, 4))))
    last = 4
    for what in operations:
        if found.texts and max(map(len, found.texts)) > 18:
            break
        changed(found, what, rng, last)
        last = int(rng.integers(1, 4))
        check(found, read(found, rng.integers(0, VOCABULARY, (len(found.texts), last))))


@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_and_its_original_go_on_by_themselves(kind):
    found, rng = Texts(kind, 0, 2, 2), np.random.default_rng(0)
    read(found, rng.integers(0, VOCABULARY, (2, 3)))
    twin = found.cache.select([0, 1])
    kept = [list(text) for text in found.texts]
    check(found, read(found, rng.integers(0, VOCABULARY, (2, 3))))
    found.cache, found.texts = twin, kept
    check(found, read(found, rng.integers(0, VOCABULARY, (2, 2))))


def test_memory_doubles_and_no_more():
    cache = KVCache(1, 1, capacity=2)
    found = language_model("gpt", 0)
    cache = found.new_cache(1, capacity=2)
    room = []
    for _ in range(9):
        with no_grad():
            found(np.array([[1]]), cache=cache)
        room.append(cache[0].keys.shape[2])
    assert room == [2, 2, 4, 4, 8, 8, 8, 8, 16]


def test_a_window_keeps_memory_small_however_long_the_text():
    found = Texts("window in the cache", 0, 2, 1)
    for _ in range(8):
        check(found, read(found, np.random.default_rng(0).integers(0, VOCABULARY, (2, 3))))
    assert found.cache[0].keys.shape[2] <= 4 * WINDOW
    assert ((found.cache.lengths - found.cache.start) < 2 * WINDOW + 3).all()
    assert found.cache.lengths.tolist() == [24, 24]


@pytest.mark.parametrize("kind", KINDS)
def test_no_gradient_flows_through_a_cache(kind):
    found = Texts(kind, 0, 1, 4)
    with pytest.raises(GradientError, match="no_grad"):
        found.model(np.array([[1, 2]]), cache=found.cache)
    for p in (found.model if found.reader is None else found.reader).parameters():
        p.requires_grad = False
    if found.reader is None:  # what is frozen has nothing to record
        found.model(np.array([[1, 2]]), cache=found.cache)
        assert found.cache.lengths.tolist() == [2]


@pytest.mark.parametrize("kind", ["gpt", "lstm", "window in the cache"])
def test_an_impossible_crop_is_refused_and_changes_nothing(kind):
    found, rng = Texts(kind, 0, 2, 4), np.random.default_rng(0)
    for size in (6, 4):
        check(found, read(found, rng.integers(0, VOCABULARY, (2, size))))
    for lengths, error in (
        ([10, 11], ArgumentError),
        ([-1, 10], ArgumentError),
        ([10], ShapeError),
        ([[10, 10]], ShapeError),
    ):
        with pytest.raises(error, match="lengths"):
            found.cache.crop(lengths)
    if kind != "gpt":  # a state before the last reading, or positions that the window has dropped
        with pytest.raises(ArgumentError, match="lengths"):
            found.cache.crop([6 if kind == "lstm" else 4, 10])
    check(found, read(found, rng.integers(0, VOCABULARY, (2, 2))))


def test_what_a_query_needs_of_a_windows_past_cannot_be_cropped_away():
    """Of the first 9 positions 6 to 8 were kept: after a crop to 7 the next query would see 5, which is gone."""
    found = Texts("window in the cache", 0, 1, 4)
    for size in (3, 6, 1):
        read(found, np.random.default_rng(size).integers(0, VOCABULARY, (1, size)))
    assert found.cache.start.tolist() == [6]
    with pytest.raises(ArgumentError, match="lengths"):
        found.cache.crop([7])
    found.cache.crop([8])
    found.texts = [found.texts[0][:8]]
    check(found, read(found, [[3, 1]]))


def test_a_crop_keeps_its_own_lengths():
    cache, lengths = language_model("gpt", 0).new_cache(2), np.array([0, 0])
    cache.crop(lengths)
    other = cache.fresh([0])
    other.advance(1)
    cache.put([0], other)
    assert lengths.tolist() == [0, 0] and cache.lengths.tolist() == [1, 0]


def test_rows_as_long_as_others_may_have_dropped_more():
    found, rng = Texts("window in the cache", 0, 2, 4), np.random.default_rng(0)
    for size in (7, 1):
        read(found, rng.integers(0, VOCABULARY, (2, size)))
    other, tokens = found.cache.fresh([1]), rng.integers(0, VOCABULARY, (1, 8))
    with no_grad():
        found.model(tokens[:, :6], cache=other)
        found.model(tokens[:, 6:], cache=other)
    found.cache.put([1], other)
    found.texts[1] = list(map(int, tokens[0]))
    assert found.cache.uniform() and found.cache.start.tolist() == [4, 3]
    for _ in range(3):
        check(found, read(found, rng.integers(0, VOCABULARY, (2, 1))))


@pytest.mark.parametrize("kind", RECURRENT)
def test_a_crop_to_all_that_was_read_changes_nothing_after_rows_were_replaced(kind):
    found, rng = Texts(kind, 0, 2, 4), np.random.default_rng(0)
    read(found, rng.integers(0, VOCABULARY, (2, 3)))
    found.cache.put([1], found.cache.fresh([1]))
    found.texts[1] = []
    found.cache.crop([3, 0])
    with pytest.raises(ArgumentError, match="lengths"):
        found.cache.crop([2, 0])
    check(found, read(found, rng.integers(0, VOCABULARY, (2, 2))))


def test_a_replaced_row_brings_its_source_along():
    one, two = Texts("decoder", 5, 3, 4), Texts("decoder", 5, 3, 4)
    order = [2, 0, 1]
    two.cache, two.sources = two.cache.select(order), [two.sources[i] for i in order]
    width = max(map(len, two.all_sources))
    padded = np.ones((3, width), int)
    for row, i in zip(padded, order):
        row[: len(two.all_sources[i])] = two.all_sources[i]
    two.model = two.reader.given(padded)
    rng = np.random.default_rng(0)
    for found in (one, two):
        read(found, rng.integers(0, VOCABULARY, (3, 2)))
    one.cache.put([0, 2], two.cache.select([0, 1]))
    for row, place in ((0, 0), (2, 1)):
        one.texts[row], one.sources[row] = list(two.texts[place]), two.sources[place]
    check(one, read(one, rng.integers(0, VOCABULARY, (3, 2))))
    longer = one.reader.given(np.full((1, width + 1), 3))
    with no_grad():
        longer(np.array([[2]]), cache=(other := longer.new_cache(1)))
    with pytest.raises(ShapeError, match="Pad them alike"):
        one.cache.put([0], other)


@pytest.mark.parametrize("kind", ["gpt", "window in the cache", "rnn", "lstm"])
def test_rows_can_be_put_where_nothing_has_been_read(kind):
    found, rng = Texts(kind, 0, 3, 4), np.random.default_rng(0)
    other, tokens = found.cache.fresh([0, 1]), rng.integers(0, VOCABULARY, (2, 3))
    with no_grad():
        found.model(tokens, cache=other)
    found.cache.put([2, 0], other)
    found.texts[2], found.texts[0] = (list(map(int, row)) for row in tokens)
    check(found, read(found, rng.integers(0, VOCABULARY, (3, 2))))


@pytest.mark.parametrize("window", [0, -1])
def test_a_window_of_nothing_is_refused(window):
    with pytest.raises(ArgumentError, match="window"):
        KVCache(1, 1, window=window)


def test_positions_are_shared_where_all_rows_are_equally_long():
    cache = StateCache(1, 2)
    assert cache.positions(3).tolist() == [0, 1, 2]
    cache.lengths = np.array([4, 6])
    assert cache.positions(2).tolist() == [[4, 5], [6, 7]] and not cache.uniform()


def test_the_models_of_these_tests_are_language_models():
    for kind in KINDS:
        assert isinstance(Texts(kind, 0, 1, 1).model, LanguageModel)


@pytest.mark.parametrize("window", [None, 1, 4])
def test_a_text_can_be_cropped_to_nothing_and_begun_anew(window):
    cache = KVCache(1, 2, window=window)
    keys = [Tensor(np.full((2, 1, 3, 2), float(n))) for n in range(2)]
    for k in keys:
        cache[0].extend(k, k)
        cache.advance(3)
        cache.crop([0, 0])
    assert cache.lengths.tolist() == [0, 0]
    found, _, ends = cache[0].extend(keys[1], keys[0])
    assert ends is None and np.array_equal(found.data, keys[1].data)


def test_the_first_position_that_a_window_has_dropped_is_gone():
    cache, k = KVCache(1, 1, window=1), Tensor(np.ones((1, 1, 1, 2)))
    for _ in range(3):
        cache[0].extend(k, k)
        cache.advance(1)
    assert cache.start.tolist() == [1]
    with pytest.raises(ArgumentError, match="lengths"):
        cache.crop([0])
    cache.crop([1])
