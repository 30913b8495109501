"""No flag is parsed in vain: each of `sample`, `tokenize`, `data` and `doctor` changes what it names, and nothing else."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import shutil
import sys

import numpy as np
import pytest
from tokenizer_parts import LLAMA2, METASPACE, letters

from tinygrad_llm.cli import data as data_module
from tinygrad_llm.cli import doctor, load, main, sample
from tinygrad_llm.datasets import download
from tinygrad_llm.errors import DeviceError
from tinygrad_llm.generate import Sampler, generate
from tinygrad_llm.models import GPT, GPTConfig, save_pretrained
from tinygrad_llm.tokenizer import ByteTokenizer, CharTokenizer, RegexBPETokenizer, WordPieceTokenizer
from tinygrad_llm.tokenizer.wordpiece import SPECIAL
from tinygrad_llm.train.checkpoint import load_checkpoint
from tinygrad_llm.train.config import TrainConfig
from tinygrad_llm.train.run import start_run

END = "<|endoftext|>"
TOKENIZER = RegexBPETokenizer([], special={END: 256})


def gpt(seed=0, vocabulary=257):
    model = GPT(GPTConfig(vocabulary, 16, 1, 1, 8), rng=np.random.default_rng(seed))
    for p in model.parameters():
        p.assign(2 * p.data)
    return model


@pytest.fixture
def asked(monkeypatch):
    """A small model in place of the run's, and what `tgl sample` asks of it: arguments of `generate`, devices."""
    model, calls = gpt(), []

    def spied(*arguments):
        calls.append(arguments)
        return generate(*arguments)

    monkeypatch.setattr(sample, "load_model", lambda run: (calls.append(run), (model, TOKENIZER))[1])
    monkeypatch.setattr(sample, "generate", spied)
    monkeypatch.setattr(GPT, "to", lambda self, device: calls.append(device) or self)
    return calls


N = ["--tokens", "90"]
OPTIONS = [
    ([], Sampler(0.8), 400), ([*N, "--temperature", "1.5"], Sampler(1.5), 90), ([*N, "--top-k", "3"], Sampler(0.8, 3), 90),
    ([*N, "--top-p", "0.4"], Sampler(0.8, top_p=0.4), 90), ([*N, "--greedy"], Sampler(0.8, greedy=True), 90), (["--tokens", "7"], Sampler(0.8), 7),
    (["--temperature", "0.3", "--top-k", "9", "--top-p", "0.7", "--tokens", "2"], Sampler(0.3, 9, 0.7), 2),
]  # fmt: skip


@pytest.mark.parametrize(("flags", "sampler", "count"), OPTIONS, ids=str)
def test_each_flag_of_sampling_is_what_the_model_is_asked_for(flags, sampler, count, asked, capsys):
    assert main.main(["sample", "a run", *flags, "--seed", "5", "--prompt", "ab"]) == 0
    run, device, (model, prompt, tokens, used, _) = asked
    assert (run, device, tokens, used, prompt) == ("a run", "cpu", count, sampler, TOKENIZER.encode("ab"))
    text = TOKENIZER.decode(generate(model, prompt, count, sampler, np.random.default_rng(5)))
    assert capsys.readouterr().out == f"ab{text}\n"


def test_the_device_is_the_one_that_is_named(asked, capsys):
    assert main.main(["sample", "r", "--tokens", "1", "--device", "auto"]) == 0
    assert asked[1] == "auto"


def test_a_seed_repeats_its_text_another_does_not_and_without_one_each_text_is_new(asked, capsys):
    def written(*flags):
        assert main.main(["sample", "r", "--tokens", "30", *flags]) == 0
        return capsys.readouterr().out

    assert written("--seed", "0") == written("--seed", "0") != written("--seed", "1")
    assert len({written() for _ in range(3)} | {written("--seed", "0")}) == 4


def test_what_a_prompt_means_by_a_special_token_is_as_the_flag_says(asked, capsys):
    for special, prompt in (("allow", [*TOKENIZER.encode("a"), 256]), ("text", TOKENIZER.encode_ordinary(f"a{END}"))):
        assert main.main(["sample", "r", "--tokens", "0", "--prompt", f"a{END}", "--special", special]) == 0
        assert asked[-1][1] == prompt
    assert main.main(["sample", "r", "--prompt", f"a{END}"]) == 2
    assert "--prompt" in capsys.readouterr().err


def test_without_a_prompt_a_text_begins_with_a_line_end_where_there_is_one(asked, capsys):
    assert main.main(["sample", "r", "--tokens", "0"]) == 0
    assert asked[-1][1] == TOKENIZER.encode("\n") and capsys.readouterr().out == "\n"
    assert load.beginning(CharTokenizer("a\nb")) == [1] and load.beginning(CharTokenizer("ab")) == [0]
    assert load.beginning(WordPieceTokenizer([*SPECIAL, "a"])) == [0]  # white space is no token there


def test_what_is_written_appears_token_by_token_and_half_a_character_at_the_end(monkeypatch, capsys):
    shown = []

    class Screen(io.StringIO):
        def flush(self):
            shown.append(self.getvalue())

    def halves(*arguments):
        for count, byte in enumerate("aé🙂".encode()[:-1]):
            assert len(shown) >= count
            yield byte

    monkeypatch.setattr(sample, "load_model", lambda run: (gpt(), ByteTokenizer()))
    monkeypatch.setattr(sample, "generate", halves)
    monkeypatch.setattr(sys, "stdout", Screen())
    assert sample.main(["r", "--prompt", ">"]) == 0
    assert shown == [">a", ">a", ">aé", ">aé", ">aé", ">aé"] and sys.stdout.getvalue() == ">aé\ufffd\n"


SPACED = [
    letters(("▁b", ""), decoder=LLAMA2),
    letters(("▁b", ""), decoder=METASPACE),
    WordPieceTokenizer([*SPECIAL, "a", "##a", "b"]),
]


@pytest.mark.parametrize("tokenizer", SPACED, ids=["Llama 2", "Metaspace", "WordPiece"])
def test_what_is_written_keeps_the_space_before_its_first_word_where_it_goes_on_from_a_prompt(
    tokenizer, monkeypatch, capsys
):
    b, goes_on, a = tokenizer.vocab_size - 1, tokenizer.vocab_size - 2, tokenizer.encode("a")
    written = [b, goes_on, b]
    monkeypatch.setattr(sample, "load_model", lambda run: (gpt(), tokenizer))
    monkeypatch.setattr(sample, "generate", lambda *arguments: iter(written))
    assert main.main(["sample", "r", "--prompt", "a"]) == 0
    assert capsys.readouterr().out == f"{tokenizer.decode(a + written)}\n"
    assert main.main(["sample", "r"]) == 0
    assert capsys.readouterr().out == f"{tokenizer.decode(written)}\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run whose best and last checkpoint are not the same."""
    folder = tmp_path_factory.mktemp("load")
    (folder / "text.txt").write_text("the cat sat on the mat. " * 20)
    for seed, name in enumerate(("best", "last")):
        config = TrainConfig(text=str(folder / "text.txt"), n_layer=1, n_head=1, n_embd=4, block_size=4, steps=1, batch_size=2, warmup=0,
                             threads="1", tokenizer="char", seed=seed)  # fmt: skip
        start_run(config, folder / name).run()
        shutil.copytree(folder / name / "checkpoint" / "last", folder / "run" / "checkpoint" / name)
    return folder


def weights(model):
    return model.head()[0].data


def test_a_run_is_opened_at_its_best_and_a_checkpoint_as_it_is(folder):
    points = {name: folder / "run" / "checkpoint" / name for name in ("best", "last")}
    saved = {name: weights(load.load_model(str(path))[0]) for name, path in points.items()}
    assert not np.array_equal(saved["best"], saved["last"])
    model, tokenizer = load.load_model(str(folder / "run"))
    np.testing.assert_array_equal(weights(model), saved["best"])
    assert tokenizer.to_dict() == load_checkpoint(points["best"]).documents["tgl_tokenizer"]


def test_a_model_in_the_current_folder_is_opened_by_a_dot(folder, monkeypatch):
    monkeypatch.chdir(folder / "run")
    np.testing.assert_array_equal(weights(load.load_model(".")[0]), weights(load.load_model(str(folder / "run"))[0]))


def test_a_folder_in_hugging_faces_layout_is_opened_with_its_own_tokenizer(tmp_path):
    model, tokenizer = gpt(3), RegexBPETokenizer.train("the cat the cat", 256, "gpt4", special=[])
    save_pretrained(model, tmp_path)
    tokenizer.save(tmp_path)
    found, own = load.load_model(str(tmp_path))
    np.testing.assert_allclose(weights(found), weights(model), rtol=1e-6)
    assert own.to_dict() == tokenizer.to_dict()


def test_tokens_are_shown_with_id_bytes_and_counts(tmp_path, capsys):
    TOKENIZER.save(tmp_path)
    assert main.main(["tokenize", "né🙂"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [int(line.split()[0]) for line in lines[:-1]] == list("né🙂".encode())
    assert lines[0].endswith("'n'") and lines[1].endswith(r"'\\xc3'") and lines[-1] == "7 tokens, 3 characters, 7 bytes"
    assert main.main(["tokenize", "né", "--tokenizer", str(tmp_path)]) == 0  # ids of GPT-2's order, not the bytes'
    assert [int(line.split()[0]) for line in capsys.readouterr().out.splitlines()[:-1]] == TOKENIZER.encode("né")
    for special, count in (("allow", 1), ("text", len(END))):
        assert main.main(["tokenize", END, "--tokenizer", str(tmp_path), "--special", special]) == 0
        assert f"{count} tokens, {len(END)} characters" in capsys.readouterr().out
    assert main.main(["tokenize", END, "--tokenizer", str(tmp_path)]) == 2


@pytest.fixture
def source(tmp_path, monkeypatch):
    """One small text in place of the real ones; it lies under another address too."""
    content = b"to be or not to be\n"
    place = tmp_path / "there.txt"
    place.write_bytes(content)
    made = download.Source(
        "small",
        "in/small.txt",
        (tmp_path / "none").as_uri(),
        len(content),
        hashlib.sha256(content).hexdigest(),
        "free",
        "words",
    )
    monkeypatch.setattr(download, "SOURCES", {"small": made})
    monkeypatch.setattr(data_module, "SOURCES", {"small": made})
    monkeypatch.setattr(doctor, "SOURCES", {"small": made})
    monkeypatch.setenv("TINYGRAD_LLM_DATA", str(tmp_path / "data"))
    return place


def test_a_text_is_got_from_the_address_that_is_named_into_the_folder_that_is_named(source, tmp_path, capsys):
    assert main.main(["data", "get", "small"]) == 2  # its own address has nothing
    assert main.main(["data", "get", "small", "--url", source.as_uri(), "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.splitlines() == [
        (tmp_path / "none").as_uri(), "19 bytes, licence: free", source.as_uri(), "19 bytes, licence: free", str(tmp_path / "out/in/small.txt")
    ]  # fmt: skip
    assert (tmp_path / "out/in/small.txt").read_bytes() == source.read_bytes() and not (
        tmp_path / "data/in/small.txt"
    ).exists()
    assert main.main(["data", "get", "small", "--url", source.as_uri()]) == 0
    assert (tmp_path / "data/in/small.txt").exists()


def test_the_list_says_which_texts_are_here(source, tmp_path, capsys):
    (tmp_path / "data").mkdir()
    for argv, here in ((["data"], "no"), (["data", "list"], "no")):
        assert main.main(argv) == 0
        _, line, last = capsys.readouterr().out.splitlines()
        assert line.split() == ["small", "19", here, "free", "words"] and last == f"folder: {tmp_path / 'data'}"
    assert main.main(["data", "get", "small", "--url", source.as_uri(), "--out", str(tmp_path / "out")]) == 0
    capsys.readouterr()
    for argv, here in ((["data", "list", "--out", str(tmp_path / "out")], "yes"), (["data", "list"], "no")):
        assert main.main(argv) == 0
        assert capsys.readouterr().out.splitlines()[1].split()[2] == here
    for argv in (["data", "got", "small"], ["data", "get"]):
        assert main.main(argv) == 2
        assert "error: tgl data: expected list, or get NAME" in capsys.readouterr().err


def test_the_doctor_says_what_there_is_and_what_is_missing(source, tmp_path, monkeypatch):
    there, problem = importlib.util.find_spec, DeviceError("cuda", "a GPU", "none here", "Get one.")
    monkeypatch.setattr(doctor, "cuda_problem", lambda: problem)
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "torch" else there(name, *rest)
    )
    monkeypatch.setattr(doctor.importlib.metadata, "version", lambda name: f"9.{len(name)}")
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    found = dict(doctor.findings())
    assert found["torch"].startswith("missing (only to compare with") and found["pytest"] == "9.6"
    assert found["texts"] == f"none yet (tgl data list) in {tmp_path / 'data'}" and "" not in found
    assert found["numpy"] == np.__version__ and found["this folder"] == "can be written"
    assert found["cuda"] == "no: none here. Get one."
    (tmp_path / "data/in").mkdir(parents=True)
    (tmp_path / "data/in/small.txt").touch()
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", lambda dir: open(tmp_path / "no" / "file"))
    found = dict(doctor.findings())
    assert found["texts"].startswith("small in ") and found["this folder"].startswith("cannot be written")
    assert found[""].startswith("OPENBLAS_CORETYPE=Haswell is set")
