"""From a text to the arrays of a run: what is learned from, what is held out, and what is known of both."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from tinygrad_llm.datasets.locate import corpus as generated
from tinygrad_llm.errors import CheckpointError, ConfigError, DataError, TokenError
from tinygrad_llm.tokenizer import ByteTokenizer, CharTokenizer, RegexBPETokenizer
from tinygrad_llm.train import TrainConfig, load_checkpoint, resume_run, save_checkpoint, start_run
from tinygrad_llm.train.data import Corpus, fingerprint, is_of, load_corpus, text_candidates, text_places

LEARNED = "".join(np.random.default_rng(0).choice(list("abcdefghijklmnopqrst, "), 1256)) + ", ab"
HELD_OUT = "naïve zzyzx " * 11 + "zzyzx ab"
TEXT = LEARNED + HELD_OUT  # 1,260 and 140 characters: nine tenths and the rest


@pytest.fixture
def config(tmp_path):
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    return TrainConfig(
        text=str(tmp_path / "text.txt"), block_size=8, n_layer=1, n_head=2, n_embd=8, threads="1", steps=2
    )


@pytest.mark.parametrize("kind", ["char", "byte", "bpe"])
def test_the_first_nine_tenths_are_learned_from_and_the_rest_is_held_out(kind, config):
    corpus = load_corpus(replace(config, tokenizer=kind, vocab_size=270))
    assert corpus.tokenizer.decode(corpus.train) == LEARNED and corpus.tokenizer.decode(corpus.val) == HELD_OUT
    assert corpus.val_bytes == len(HELD_OUT.encode()) == len(HELD_OUT) + 11
    per_byte = {"char": 140 / 151, "byte": 1.0, "bpe": len(corpus.val) / 151}[kind]
    assert corpus.nats_to_bits_per_byte == pytest.approx(per_byte / np.log(2), rel=1e-12)


def test_merges_are_learned_from_what_is_learned_from_and_so_many_as_asked_for(config):
    for size in (257, 262, 270):
        tokenizer = load_corpus(replace(config, tokenizer="bpe", vocab_size=size)).tokenizer
        assert tokenizer.vocab_size == size
        assert tokenizer.to_dict() == RegexBPETokenizer.train(LEARNED, size).to_dict()
        assert tokenizer.to_dict() != RegexBPETokenizer.train(TEXT, size).to_dict()


def test_an_alphabet_is_that_of_the_whole_text(config):
    tokenizer = load_corpus(config).tokenizer
    assert isinstance(tokenizer, CharTokenizer) and tokenizer.decode(tokenizer.encode("ïz")) == "ïz"
    assert isinstance(load_corpus(replace(config, tokenizer="byte")).tokenizer, ByteTokenizer)


def test_carriage_returns_go_where_the_setting_says(config, tmp_path):
    (tmp_path / "text.txt").write_bytes(TEXT.replace(", ", ",\r\n").encode())
    kept, gone = (load_corpus(replace(config, newlines=newlines)) for newlines in ("keep", "lf"))
    assert "\r\n" in kept.tokenizer.decode(kept.train) and "\r" not in gone.tokenizer.decode(gone.train)


def test_what_a_special_token_in_the_text_is_the_setting_says(config, tmp_path):
    end = "<|endoftext|>"
    (tmp_path / "text.txt").write_text((LEARNED + end) * 10)
    tokenizer = RegexBPETokenizer.train("ab", 257, special=[end])
    with pytest.raises(TokenError, match="special token"):
        load_corpus(config, tokenizer)
    counts = [len(load_corpus(replace(config, special=special), tokenizer).train) for special in ("allow", "text")]
    assert counts[1] > counts[0]


def test_a_tokenizer_that_is_passed_is_used(config):
    tokenizer = CharTokenizer.train(TEXT + "ß!")
    corpus = load_corpus(config, tokenizer)
    assert corpus.tokenizer is tokenizer
    with pytest.raises(TokenError):
        load_corpus(config, CharTokenizer.train(LEARNED))  # it lacks what is held out


def test_without_a_text_it_is_the_tales_and_their_own_split():
    corpus = load_corpus(TrainConfig())
    for ids, name in ((corpus.train, "train.txt"), (corpus.val, "val.txt")):
        assert corpus.tokenizer.decode(ids) == (generated("tales") / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("length", "block_size", "said"),
    [
        (1, 8, "text: expected at least 9"),
        (10, 8, "held-out text: expected at least 2"),
        (19, 17, "text: expected at least 18"),
    ],
)
def test_what_is_too_short_to_be_split_is_refused(length, block_size, said, config, tmp_path):
    (tmp_path / "text.txt").write_text("abcdefghij" * 2)
    load_corpus(replace(config, block_size=17))
    (tmp_path / "text.txt").write_text(("abcdefghij" * 2)[:length])
    with pytest.raises(DataError, match=said):
        load_corpus(replace(config, block_size=block_size))


def test_a_fingerprint_tells_another_text_from_this_one():
    """Another token, another order, another length; in what is learned from, and in what is held out."""

    def corpus(train, val):
        return Corpus(ByteTokenizer(), np.array(train), np.array(val), len(val))

    mine = corpus([3, 1, 2, 2], [4, 5, 6])
    saved = fingerprint(mine)
    assert is_of(corpus([3, 1, 2, 2], [4, 5, 6]), saved)
    others = ([3, 1, 2, 1], [4, 5, 6]), ([1, 3, 2, 2], [4, 5, 6]), ([3, 1, 2], [4, 5, 6]), ([3, 1, 2, 2], [4, 6, 5]), ([3, 1, 2, 2], [4, 5, 7]), ([3, 1, 2, 2], [4, 5])  # fmt: skip
    for train, val in others:
        assert not is_of(corpus(train, val), saved)
    earlier = {name: value for name, value in saved.items() if name != "val_checksum"}
    assert is_of(mine, earlier) and not is_of(corpus([1, 3, 2, 2], [4, 5, 6]), earlier) and not is_of(mine, {})


@pytest.mark.parametrize("place", [slice(0, 5), slice(1200, 1205), slice(1390, 1395)], ids=["start", "end", "held out"])
def test_a_text_that_has_changed_anywhere_is_noticed_at_resume(place, config, tmp_path):
    start_run(config, tmp_path / "run").run(progress=False, report=lambda line: None)
    signs = list(TEXT)
    signs[place] = signs[place][::-1]
    (tmp_path / "text.txt").write_text("".join(signs), encoding="utf-8")
    with pytest.raises(CheckpointError, match="Was the text changed"):
        resume_run(tmp_path / "run", {})


def test_of_several_texts_the_runs_own_is_taken_and_remembered(config, tmp_path, monkeypatch):
    """One of the same name stands where the command is typed this time; another one is named, and refused."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "one" / "text.txt").write_text(TEXT, encoding="utf-8")
    (tmp_path / "two" / "text.txt").write_text(TEXT.replace("zzyzx", "zyzzy"), encoding="utf-8")
    monkeypatch.chdir(tmp_path / "one")
    start_run(replace(config, text="text.txt"), tmp_path / "run").run(progress=False, report=lambda line: None)
    monkeypatch.chdir(tmp_path / "two")
    resumed = resume_run(tmp_path / "run", {})
    assert resumed.config.text == str(tmp_path / "one" / "text.txt")
    assert resumed.corpus.tokenizer.decode(resumed.corpus.val) == HELD_OUT
    with pytest.raises(CheckpointError, match="Was the text changed"):
        resume_run(tmp_path / "run", {"text": "text.txt"})
    (tmp_path / "one" / "text.txt").rename(tmp_path / "new.txt")
    resumed = resume_run(tmp_path / "run", {"text": str(tmp_path / "new.txt"), "steps": 4})
    resumed.run(progress=False, report=lambda line: None)
    assert resume_run(tmp_path / "run", {}).config.text == str(tmp_path / "new.txt")


def test_a_run_of_the_tales_stays_one_of_the_tales(config, tmp_path):
    tales = replace(config, text=None, steps=1, eval_batches=1)
    start_run(tales, tmp_path / "run").run(progress=False, report=lambda line: None)
    assert resume_run(tmp_path / "run", {}).config == tales
    with pytest.raises(ConfigError, match="text = None"):
        resume_run(tmp_path / "run", {"text": config.text})


def test_a_trainer_does_not_take_up_another_corpus(config, tmp_path):
    start_run(config, tmp_path / "run").run(progress=False, report=lambda line: None)
    saved = load_checkpoint(tmp_path / "run" / "checkpoint" / "last")
    (tmp_path / "other.txt").write_text(TEXT[::-1], encoding="utf-8")
    other = start_run(replace(config, text=str(tmp_path / "other.txt")), tmp_path / "other")
    with pytest.raises(CheckpointError, match="Was the text changed"):
        other.restore(saved)


def test_a_resumed_run_reads_with_the_tokenizer_that_it_saved(config, tmp_path):
    """And not with what would be learned today, as after a change of how merges are chosen."""
    config = replace(config, tokenizer="bpe", vocab_size=258)
    start_run(config, tmp_path / "run").run(progress=False, report=lambda line: None)
    last = tmp_path / "run" / "checkpoint" / "last"
    saved = load_checkpoint(last)
    other = RegexBPETokenizer.train("zzyzx " * 9, 258)
    documents = {**saved.documents, "tgl_tokenizer": other.to_dict()}
    documents["state"]["corpus"] = fingerprint(load_corpus(config, other))
    save_checkpoint(last, saved.arrays, documents)
    assert resume_run(tmp_path / "run", {}).corpus.tokenizer.to_dict() == other.to_dict()


# ---- where a text is


def test_a_text_is_looked_for_where_it_was_and_as_seen_from_the_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "texts").mkdir()
    out = tmp_path / "runs" / "one"
    out.mkdir(parents=True)
    (tmp_path / "texts" / "t.txt").write_text("a")
    typed = os.path.join("texts", "t.txt")
    places = text_places(typed, out)
    assert (
        places == [str(tmp_path / "texts" / "t.txt"), os.path.join("..", "..", "texts", "t.txt")]
        and text_places(None, out) == []
    )
    assert text_candidates(typed, None, places, out) == [typed, str(tmp_path / "texts" / "t.txt")]
    monkeypatch.chdir(out)  # what was typed holds no longer
    assert text_candidates(typed, None, places, out) == [str(tmp_path / "texts" / "t.txt")]
    (tmp_path / "texts").rename(tmp_path / "runs" / "texts")
    (tmp_path / "runs").rename(tmp_path / "all")
    moved = tmp_path / "all" / "one"
    (tmp_path / "all" / "texts").rename(tmp_path / "texts")
    assert text_candidates(typed, None, ["/nowhere/t.txt", os.path.join("..", "..", "texts", "t.txt")], moved) == [
        str(tmp_path / "texts" / "t.txt")
    ]
    assert text_candidates(typed, "given.txt", places, moved) == ["given.txt"]
    assert text_candidates(typed, None, ["/nowhere/t.txt"], moved) == [typed]  # so that it is named
    assert text_candidates(None, "given.txt", places, moved) == [None]
