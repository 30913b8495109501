"""Where corpora are found."""

from __future__ import annotations

import pytest

from tinygrad_llm.datasets import locate
from tinygrad_llm.errors import ArgumentError


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """No checkout, and an empty cache."""
    monkeypatch.setattr(locate, "CHECKOUT", tmp_path / "none")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    return tmp_path / "tinygrad_llm"


def test_a_checkout_has_every_corpus():
    for name in locate.WRITERS:
        folder = locate.corpus(name)
        assert folder == locate.CHECKOUT / name and (folder / locate.WRITERS[name][0]).stat().st_size


def test_without_a_checkout_a_corpus_is_made_once_in_the_cache(elsewhere):
    folder = locate.corpus("kingdom")
    assert folder == elsewhere / "kingdom"
    made = (folder / "train.txt").read_bytes()
    assert made == (locate.Path(locate.__file__).parents[2] / "data" / "kingdom" / "train.txt").read_bytes()
    (folder / "test.txt").unlink()
    assert locate.corpus("kingdom") == folder and not (folder / "test.txt").exists()  # not made again


def test_an_unknown_corpus_is_refused_by_name():
    with pytest.raises(ArgumentError, match="kingdom or lingo or tales"):
        locate.corpus("empire")
