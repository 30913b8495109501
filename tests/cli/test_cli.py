"""The command line, as a user meets it: right answers, one line for a mistake, never a traceback."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from dataclasses import dataclass, field

import numpy as np
import pytest

from tinygrad_llm.cli.flags import parse
from tinygrad_llm.cli.main import COMMANDS, main
from tinygrad_llm.datasets.download import SOURCES
from tinygrad_llm.errors import ConfigError, TokenError
from tinygrad_llm.ranges import number, whole
from tinygrad_llm.tokenizer import CharTokenizer
from tinygrad_llm.train.checkpoint import load_checkpoint
from tinygrad_llm.train.config import PRESETS

TEXT = "the cat sat on the mat and the dog sat on the log. " * 12
SMALL = ["--n-layer", "1", "--n-head", "2", "--n-embd", "16", "--block-size", "8", "--batch-size", "4", "--warmup", "2", "--threads", "1",
         "--eval-every", "10", "--steps", "30", "--lr", "1e-2"]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    (folder / "text.txt").write_text(TEXT)
    out = str(folder / "out")
    assert main(["train", "--preset", "shakespeare-cpu", "--text", str(folder / "text.txt"), "--out", out, *SMALL]) == 0
    return folder


def fails(capsys, argv, *said):
    """The command ends with status 2 and one line that says what is wrong."""
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1 and "Traceback" not in error
    for words in said:
        assert words in error, error


def test_training_leaves_a_report_a_curve_and_a_model(run, capsys):
    out = run / "out"
    assert {p.name for p in out.iterdir()} >= {"log.jsonl", "config.json", "checkpoint", "loss.svg"}
    assert (out / "loss.svg").read_text().startswith("<svg")
    events = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert (
        events[0]["event"] == "start"
        and events[-1]["event"] == "report"
        and events[-1]["ngrams"].keys() == {"3-gram", "5-gram"}
    )
    assert any("val_loss" in e for e in events)


def test_the_end_of_training_shows_sample_ngrams_and_what_next(run, capsys, tmp_path):
    argv = [
        "train",
        "--preset",
        "shakespeare-cpu",
        "--text",
        str(run / "text.txt"),
        "--out",
        str(tmp_path / "o"),
        *SMALL,
    ]
    assert main(argv) == 0
    shown = capsys.readouterr().out
    for words in ("5-gram", "this model", "bits a byte", "--- a sample", "Try next", "tgl sample"):
        assert words in shown
    assert json.loads(shown.splitlines()[-1])["steps"] == 30


def test_resuming_goes_on_and_a_second_start_is_refused(run, capsys):
    out = str(run / "out")
    fails(
        capsys,
        ["train", "--preset", "shakespeare-cpu", "--text", str(run / "text.txt"), "--out", out, *SMALL],
        "--resume",
    )
    fails(capsys, ["train", "--resume", "--out", out, "--n-embd", "32"], "--n-embd = 16", "--n-embd = 32")
    assert main(["train", "--resume", "--out", out, "--steps", "35"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["steps"] == 35


def test_a_free_folder_is_taken_where_none_is_named(run, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("shakespeare-cpu", "shakespeare-cpu-2"):
        assert (
            main(["train", "--preset", "shakespeare-cpu", "--text", str(run / "text.txt"), *SMALL, "--steps", "2"]) == 0
        )
        assert (tmp_path / "out" / name / "checkpoint" / "last").exists()


def test_a_flag_stands_above_the_preset(run):
    assert PRESETS["shakespeare-cpu"]["lr"] != 1e-2
    assert load_checkpoint(run / "out" / "checkpoint" / "last").document("run")["config"]["lr"] == 1e-2


def test_sampling_continues_the_prompt_and_repeats_with_a_seed(run, capsys):
    texts = []
    for _ in range(2):
        assert main(["sample", str(run / "out"), "--prompt", "the ", "--tokens", "20", "--seed", "3"]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1] and texts[0].startswith("the ") and len(texts[0]) == 4 + 20 + 1
    assert main(["sample", str(run / "out" / "checkpoint" / "last"), "--greedy", "--tokens", "3"]) == 0


def test_mistakes_in_sampling_are_named(run, capsys):
    out = str(run / "out")
    fails(capsys, ["sample", out, "--temperature", "0"], "--temperature: expected a number in (0, 1_000_000], got 0")
    fails(capsys, ["sample", out, "--top-k", "0"], "--top-k")
    fails(capsys, ["sample", out, "--top-p", "1.5"], "--top-p")
    fails(capsys, ["sample", out, "--prompt", "QQ"], "'Q'", "position 0")
    fails(capsys, ["sample", out, "--prompt", ""], "--prompt")
    fails(capsys, ["sample", str(run / "none")], "none")
    fails(capsys, ["sample"], "run")


def test_evaluating_gives_the_loss_of_the_run(run, capsys):
    cut = int(len(TEXT) * 0.9)
    (run / "val.txt").write_text(TEXT[cut:])
    assert main(["eval", str(run / "out"), str(run / "val.txt")]) == 0
    loss = float(capsys.readouterr().out.split()[0])
    events = [json.loads(line) for line in (run / "out" / "log.jsonl").read_text().splitlines()]
    assert loss == pytest.approx(min(e["val_loss"] for e in events if "val_loss" in e), abs=1e-4)
    fails(capsys, ["eval", str(run / "out"), str(run / "none.txt")], "none.txt")


def test_tokens_are_shown(run, capsys):
    assert main(["tokenize", "né"]) == 0
    shown = capsys.readouterr().out
    assert "110" in shown and r"\\xc3" in shown and "3 tokens, 2 characters, 3 bytes" in shown
    assert main(["tokenize", "the", "--tokenizer", str(run / "out")]) == 0
    assert "3 tokens" in capsys.readouterr().out


def test_texts_are_listed_and_got_from_a_file(tmp_path, capsys, real_data):
    assert main(["data", "list", "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in SOURCES) and "public domain" in shown
    url = real_data("tinyshakespeare.txt").resolve().as_uri()
    assert main(["data", "get", "tinyshakespeare", "--out", str(tmp_path), "--url", url]) == 0
    shown = capsys.readouterr().out
    assert "licence: public domain" in shown and (tmp_path / "tinyshakespeare.txt").stat().st_size == 1_115_394


def test_mistakes_in_getting_are_named(tmp_path, capsys):
    fails(capsys, ["data", "get", "nothing", "--out", str(tmp_path)], "tinyshakespeare")
    fails(capsys, ["data", "get"], "get NAME")
    missing = (tmp_path / "none").as_uri()
    assert main(["data", "get", "tinyshakespeare", "--out", str(tmp_path), "--url", missing]) == 2
    assert "put it at" in capsys.readouterr().err


def test_the_doctor_finds_python_numpy_and_blas(capsys):
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    for words in ("python", np.__version__, "blas", "cores", "matplotlib", "cuda"):
        assert words in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_a_terminal_and_explains_every_flag(name, capsys):
    with pytest.raises(SystemExit) as found:
        main([name, "--help"])
    assert found.value.code == 0
    shown = capsys.readouterr().out
    assert "usage: tgl " + name in shown
    assert max(map(len, shown.splitlines())) <= 100


def test_without_a_command_the_commands_are_listed(capsys):
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in COMMANDS)
    fails(capsys, ["trian"], "trian", "train")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["train", "--step", "3"], ["--step", "Did you mean --steps"]), (["train", "--steps", "many"], ["--steps", "whole number"]),
        (["train", "--steps", "1.5"], ["--steps"]), (["train", "--lr", "fast"], ["--lr"]), (["train", "--preset", "none"], ["--preset", "tales"]),
        (["train", "--zzz"], ["--zzz"]), (["train", "--preset", "shakespeare-cpu"], ["tgl data get tinyshakespeare"]),
        (["train", "--preset", "gpt2-124m"], ["tgl data get tinyshakespeare"]),
        (["train", "--n-head", "3"], ["--n-head", "a divisor of --n-embd"]), (["train", "--device", "tpu"], ["tpu", "cuda"]), (["train", "--text", "/none.txt"], ["/none.txt"]),
        (["train", "--dtype", "float16"], ["--dtype", "float16"]), (["train", "--steps", "0"], ["--steps"]), (["train", "--batch-size", "-1"], ["--batch-size"]),
    ],
)  # fmt: skip
def test_a_wrong_flag_is_one_line(argv, said, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    fails(capsys, argv, *said)
    assert not list(tmp_path.iterdir())


@dataclass(frozen=True)
class Flags:
    place: str = field(metadata={"help": "where"})
    some_count: int = field(default=3, metadata={"help": "how many", "range": whole(0, 5000)})
    rate: float | None = field(default=None, metadata={"help": "how fast", "range": number(0, 1)})
    loud: bool = field(default=False, metadata={"help": "or not"})


def test_flags_are_the_fields():
    def given(*argv):
        return parse(argv, Flags, prog="p", about="a", positional=["place"])[0]

    assert given("here") == {"place": "here"}
    assert given("here", "--some-count", "1e3", "--rate", "1e-3", "--loud") == {
        "place": "here",
        "some_count": 1000,
        "rate": 0.001,
        "loud": True,
    }
    assert given("here", "--some_count=2_000", "--no-loud") == {"place": "here", "some_count": 2000, "loud": False}
    for bad in (["here", "--some", "3"], ["here", "there"], [], ["here", "--some-count"], ["here", "--loud=yes"]):
        with pytest.raises(ConfigError):
            given(*bad)


def test_the_module_and_the_command_are_one_and_a_closed_pipe_is_quiet():
    command = [sys.executable, "-m", "tinygrad_llm", "tokenize", "x" * 5000]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_importing_is_quick_and_quiet():
    program = "import sys, tinygrad_llm; print(sorted(m for m in sys.modules if m in ('torch', 'matplotlib', 'regex', 'tqdm', 'safetensors')))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_help_fits_eighty_columns_and_says_where_to_begin():
    from tinygrad_llm.cli.main import usage

    assert all(len(line) <= 80 for line in usage().splitlines()) and usage().endswith("tgl start")


def test_a_model_that_is_no_decoder_is_named(tmp_path, capsys):
    from tinygrad_llm.models import EncoderDecoder, EncoderDecoderConfig, save_pretrained

    config = EncoderDecoderConfig(5, 4, 1, 1, 1, 2, 2)
    save_pretrained(EncoderDecoder(config, rng=np.random.default_rng(0)), tmp_path)
    fails(capsys, ["sample", str(tmp_path)], "a decoder", "EncoderDecoder")


def test_an_unknown_character_goes_with_its_error_also_between_processes():
    with pytest.raises(TokenError) as found:
        CharTokenizer.train("abc").encode("ab\rc")
    assert found.value.character == "\r"
    again = pickle.loads(pickle.dumps(found.value))
    assert (again.character, str(again)) == ("\r", str(found.value))


def test_only_a_carriage_return_is_answered_with_the_flag_for_it(tmp_path, capsys):
    """The words of an error are no data: a name that has the same signs in it changes nothing."""
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    (tmp_path / "other.txt").write_text("the cat QQ '\\r'", encoding="utf-8")
    out = str(tmp_path / "run")
    assert (
        main(["train", "--preset", "shakespeare-cpu", "--text", str(tmp_path / "text.txt"), "--out", out, *SMALL]) == 0
    )
    fails(capsys, ["eval", out, str(tmp_path / "other.txt")], "'Q'", "--tokenizer byte")
    (tmp_path / "other.txt").write_bytes(b"the cat\r\n")
    fails(capsys, ["eval", out, str(tmp_path / "other.txt")], "U+000D", "--newlines lf")
