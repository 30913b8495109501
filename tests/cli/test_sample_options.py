"""Every option of `tgl sample` changes what is asked of the model, and where a way of writing reads none it is refused."""

from __future__ import annotations

import re

import numpy as np
import pytest
from tokenizer_parts import LLAMA2, letters

from tinygrad_llm.cli import main, sample
from tinygrad_llm.generate import Constraint, Sampler, beam_search, contrastive_search, generate, processors
from tinygrad_llm.models import GPT, GPTConfig
from tinygrad_llm.tokenizer import CharTokenizer, RegexBPETokenizer

END = "<|endoftext|>"
TOKENIZER, LETTERS = RegexBPETokenizer([], special={END: 256}), CharTokenizer("abcdefghij \n")


def gpt(seed, vocabulary):
    model = GPT(GPTConfig(vocabulary, 16, 1, 1, 8), rng=np.random.default_rng(seed))
    for p in model.parameters():
        p.assign(4 * p.data)
    return model


@pytest.fixture
def asked(monkeypatch):
    """A small model in place of the run's, and how its writers were called: {name: (arguments, options)}."""
    calls = {}

    def spied(name, write):
        def call(*arguments, **options):
            calls[name] = arguments, options
            return write(*arguments, **options)

        monkeypatch.setattr(sample, name, call)

    for name, write in (
        ("generate", generate),
        ("beam_search", beam_search),
        ("contrastive_search", contrastive_search),
    ):
        spied(name, write)
    with_model(monkeypatch, TOKENIZER)
    return calls


def with_model(monkeypatch, tokenizer, seed=0):
    model = gpt(seed, tokenizer.vocab_size)
    monkeypatch.setattr(sample, "load_model", lambda run: (model, tokenizer))
    return model


def written(capsys, *flags):
    seed = [] if {"--num-beams", "--penalty-alpha"} & set(flags) else ["--seed", "3"]
    assert main.main(["sample", "r", *seed, *flags]) == 0
    return capsys.readouterr().out


DRAWN = [
    (["--min-p", "0.2"], {"min_p": 0.2}), (["--typical-p", "0.5"], {"typical_p": 0.5}),
    (["--repetition-penalty", "1.5"], {"first": processors(repetition_penalty=1.5)}),
    (["--presence-penalty", "0.5"], {"first": processors(presence_penalty=0.5)}),
    (["--frequency-penalty", "-0.5"], {"first": processors(frequency_penalty=-0.5)}),
    (["--no-repeat-ngram-size", "1"], {"first": processors(no_repeat_ngram_size=1)}),
    (["--logit-bias", '{"97": 2.5, "98": -Infinity}'], {"first": processors(logit_bias={97: 2.5, 98: -np.inf})}),
    (["--repetition-penalty", "1.5", "--logit-bias", '{"97": 1}', "--min-p", "0.1", "--top-k", "9"],
     {"first": processors(repetition_penalty=1.5, logit_bias={97: 1.0}), "min_p": 0.1, "top_k": 9}),
]  # fmt: skip


@pytest.mark.parametrize(("flags", "options"), DRAWN, ids=str)
def test_each_option_of_drawing_is_the_samplers(flags, options, asked, capsys):
    flags = ["--logit-bias", flags[1]] if flags[0] == "--logit-bias" else flags
    flags = [f"{flags[0]}={flags[1]}", *flags[2:]]  # a negative number begins like a flag
    text = written(capsys, *flags, "--tokens", "30", "--prompt", "ab")
    (model, prompt, count, sampler, _), _ = asked["generate"]
    assert (prompt, count, sampler) == (TOKENIZER.encode("ab"), 30, Sampler(0.8, **options))
    plain = list(generate(model, prompt, 30, sampler, np.random.default_rng(3)))
    assert text == f"ab{TOKENIZER.decode(plain)}\n" != written(capsys, "--tokens", "30", "--prompt", "ab")


def test_beams_are_searched_by_their_flags(asked, capsys):
    flags = ["--tokens", "9", "--prompt", "ab", "--num-beams", "4"]
    rules = processors(no_repeat_ngram_size=1)
    for more, power, options in (
        ([], 1.0, {}), (["--length-penalty", "0"], 0.0, {}), (["--no-repeat-ngram-size", "1"], 1.0, {"transforms": rules}),
        (["--num-beam-groups", "2", "--diversity-penalty", "3"], 1.0, {"groups": 2, "diversity": 3.0}),
    ):  # fmt: skip
        text = written(capsys, *flags, *more)
        arguments, given = asked["beam_search"]
        assert arguments[1:] == (TOKENIZER.encode("ab"), 256, 4, 9, power)
        assert given == {"groups": 1, "diversity": 0.0, "transforms": ()} | options
        best = beam_search(*arguments, **given)[0].tokens
        assert text == f"ab{TOKENIZER.decode([t for t in best if t != 256])}\n" and "generate" not in asked


def test_contrastive_search_reads_top_k_for_its_candidates(asked, capsys):
    flags, texts = ["--tokens", "20", "--prompt", "ab", "--penalty-alpha", "0.7"], set()
    for more, k in (([], 4), (["--top-k", "2"], 2), (["--top-k", "1"], 1)):
        texts.add(written(capsys, *flags, *more))
        (model, prompt, *rest), options = asked["contrastive_search"]
        assert rest == [20, k, 0.7] and options == {"transforms": ()}
    assert len(texts) == 3 and "generate" not in asked
    greedy = generate(model, prompt, 20, Sampler(greedy=True), np.random.default_rng(0))
    assert f"ab{TOKENIZER.decode(greedy)}\n" in texts  # of one candidate


def test_what_is_written_matches_the_expression_and_ends_with_it(asked, capsys, monkeypatch):
    for seed in range(5):
        with_model(monkeypatch, TOKENIZER, seed)
        text = written(capsys, "--tokens", "90", "--prompt", "ab", "--regex", r"[a-c]{3,9} \d\d")
        assert re.fullmatch(r"ab[a-c]{3,9} \d\d\n", text)
        sampler = asked["generate"][0][3]
        assert isinstance(sampler.first[-1], Constraint) and sampler.first[-1].end == 256
        with_model(monkeypatch, LETTERS, seed)  # without an end token it stops where nothing can follow
        assert re.fullmatch(r"[a-c]{3,9} j\n", written(capsys, "--tokens", "90", "--regex", r"[a-c]{3,9} j"))
        assert re.fullmatch(
            r"[a-c]{3}\n", written(capsys, "--tokens", "90", "--penalty-alpha", "0.5", "--regex", "[a-c]{3}")
        )
    with_model(monkeypatch, TOKENIZER)
    assert re.fullmatch(r"\d{2,5}\n", written(capsys, "--tokens", "9", "--num-beams", "3", "--regex", r"\d{2,5}"))
    assert written(capsys, "--regex", "") == "\n"


def test_the_end_token_ends_an_expression_and_beams_and_is_not_shown(asked, capsys):
    likely = ["--tokens", "9", "--prompt", "ab", "--logit-bias", '{"256": 90}']
    assert written(capsys, *likely, "--regex", "c(de)*") == "abc\n"
    assert written(capsys, *likely, "--regex", "c(de)*", "--num-beams", "2") == "abc\n"
    assert written(capsys, *likely, "--num-beams", "2") == "ab\n"
    assert written(capsys, *likely) == f"ab{9 * END}\n"  # without them a text goes on behind it, as it always has


def test_an_expressions_first_token_keeps_its_space_behind_a_prompt_alone(asked, capsys, monkeypatch):
    tokenizer = letters(("▁b", ""), decoder=LLAMA2)
    with_model(monkeypatch, tokenizer)
    for flags, pattern, text in (([], "b( b)*", ""), (["--prompt", "a"], "( b)*", "a")):
        assert re.fullmatch(text + pattern, written(capsys, "--tokens", "4", "--regex", pattern, *flags).strip())
        assert tokenizer.vocab_size - 1 in asked["generate"][0][3].first[-1].allowed([])


def test_a_text_ends_before_a_stop_string_of_which_no_part_is_shown(capsys, monkeypatch):
    monkeypatch.setattr(sample, "load_model", lambda run: (gpt(0, 257), TOKENIZER))
    for stops, text in (("cd", "ab"), ('["xy", "bcd"]', "a"), ("de!", "abcdef"), ("é", "abcdef"), ("[]", "abcdef")):
        monkeypatch.setattr(sample, "generate", lambda *arguments: iter(TOKENIZER.encode("abcdef")))
        assert written(capsys, "--prompt", ">", "--stop-strings", stops) == f">{text}\n"


REFUSED = [
    (["--num-beams", "2", "--top-k", "3"], "--top-k"), (["--num-beams", "2", "--temperature", "0.5"], "--temperature"),
    (["--num-beams", "2", "--greedy"], "--greedy"), (["--num-beams", "2", "--penalty-alpha", "0.5"], "--penalty-alpha"),
    (["--penalty-alpha", "0.5", "--min-p", "0.1"], "--min-p"), (["--penalty-alpha", "0.5", "--typical-p", "0.1"], "--typical-p"),
    (["--penalty-alpha", "0.5", "--seed", "1"], "--seed"), (["--penalty-alpha", "0.5", "--top-p", "0.5"], "--top-p"),
    (["--length-penalty", "2"], "--length-penalty"), (["--diversity-penalty", "1"], "--diversity-penalty"),
    (["--num-beam-groups", "2"], "--num-beam-groups"), (["--num-beams", "3", "--num-beam-groups", "2"], "--num-beam-groups"),
    (["--num-beams", "2", "--diversity-penalty", "1"], "--diversity-penalty"), (["--num-beams", "2", "--tokens", "0"], "--tokens"),
    (["--logit-bias", "a"], "--logit-bias"), (["--logit-bias", "[1]"], "--logit-bias"), (["--logit-bias", '{"a": 1}'], "--logit-bias"),
    (["--logit-bias", '{"1": null}'], "--logit-bias"), (["--logit-bias", '{"999": 1}'], "--logit-bias"), (["--logit-bias", '{"-1": 1}'], "--logit-bias"),
    (["--stop-strings", "[1]"], "--stop-strings"), (["--stop-strings", "[a"], "--stop-strings"), (["--stop-strings", ""], "--stop-strings"),
    (["--regex", "a("], "--regex"), (["--min-p", "2"], "--min-p"), (["--typical-p", "0"], "--typical-p"),
    (["--repetition-penalty", "0"], "--repetition-penalty"), (["--penalty-alpha", "1.5"], "--penalty-alpha"), (["--num-beams", "0"], "--num-beams"),
]  # fmt: skip


@pytest.mark.parametrize(("flags", "name"), REFUSED, ids=str)
def test_what_is_out_of_range_or_of_another_way_of_writing_is_refused_by_its_flag(flags, name, asked, capsys):
    assert main.main(["sample", "r", "--prompt", "ab", *flags]) == 2
    assert f"error: {name}: expected" in capsys.readouterr().err


def test_beams_need_an_end_where_an_expression_must_be_met(asked, capsys, monkeypatch):
    with_model(monkeypatch, LETTERS)
    assert main.main(["sample", "r", "--num-beams", "2", "--regex", "a"]) == 2
    assert "error: --regex: expected a vocabulary with <|endoftext|>" in capsys.readouterr().err


def test_help_shows_each_option_with_the_default_that_runs(asked, capsys):
    with pytest.raises(SystemExit, match="0"):
        main.main(["sample", "--help"])
    words = " ".join(capsys.readouterr().out.split())
    for flag, default in (("min-p", "0.0"), ("typical-p", "1.0"), ("repetition-penalty", "1.0"), ("num-beams", "1"), ("length-penalty", "1.0"),
                          ("presence-penalty", "0.0"), ("frequency-penalty", "0.0"), ("no-repeat-ngram-size", "0"), ("penalty-alpha", "0.0"),
                          ("num-beam-groups", "1"), ("diversity-penalty", "0.0")):  # fmt: skip
        assert re.search(rf"--{flag} [A-Z]+ [^(]*\(default {re.escape(default)}\)", words), flag
    for flag in ("logit-bias", "regex", "stop-strings"):
        assert f"--{flag} STR" in words
    written(capsys, "--tokens", "1")
    assert asked["generate"][0][3] == Sampler(0.8)
