"""`tgl finetune` and `tgl merge`: a user's own lines are learned by every method, each bad one is named, nothing is lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tinygrad_llm.autograd import no_grad
from tinygrad_llm.cli.main import main
from tinygrad_llm.finetune.opened import open_model
from tinygrad_llm.finetune.run import resume_finetune, start_finetune
from tinygrad_llm.finetune.settings import METHODS, FinetuneConfig
from tinygrad_llm.generate import Conversation, Sampler
from tinygrad_llm.models import GPT, GPTConfig, Llama, LlamaConfig, save_pretrained
from tinygrad_llm.quantize import QuantizedLinear
from tinygrad_llm.tokenizer import TEMPLATES, ByteTokenizer, CharTokenizer, RegexBPETokenizer, load_tokenizer
from tinygrad_llm.train import Interrupted, load_checkpoint
from tinygrad_llm.train.log import read_log

ANSWERS = {"cat": "miau", "dog": "wau", "cow": "muh", "hen": "gack"}
LINES = [
    *({"prompt": f"what says a {who}?", "completion": says} for who, says in ANSWERS.items()),
    *({"messages": [{"role": "system", "content": "x"}, {"role": "user", "content": who}, {"role": "assistant", "content": says}]}
      for who, says in ANSWERS.items()),
]  # fmt: skip
BAD = {
    2: ('{"prompt": "no end', "no JSON: Unterminated string starting at at column 12"),
    4: ("[1, 2]", "must be a JSON object, not [1, 2]"),
    5: ('{"prompt": "only"}', 'has "prompt" but no "completion"'),
    6: ('{"messages": [{"role": "bot", "content": ""}]}', '"messages"[0] "role" must be system, user, assistant, not "bot"'),
    7: ('{"messages": [{"role": "user"}]}', '"messages"[0] has no "content"'),
    8: ('{"messages": [{"role": "user", "content": "x"}]}', "no message of an assistant"),
    9: ('{"a": 1}', 'needs "messages", or "prompt" and "completion", or '),
    10: ('{"prompt": "a", "completion": ""}', '"completion" must be text, not ""'),
    11: (json.dumps({"prompt": "a" * 200, "completion": "b"}), "tokens long, and the model reads 96"),
}  # fmt: skip
FLAGS = [
    "--steps",
    "6",
    "--batch-size",
    "2",
    "--eval-every",
    "3",
    "--warmup",
    "0",
    "--threads",
    "1",
    "--rank",
    "4",
    "--virtual-tokens",
    "4",
]
WHOLE = {"lora", "dora", "ia3", "qlora", "full"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A model in Hugging Face's layout, a run of `tgl train`, and a file of lines."""
    folder = tmp_path_factory.mktemp("finetune")
    model = GPT(GPTConfig(256, 96, 2, 2, 16), rng=np.random.default_rng(0))
    for p in model.parameters():
        p.assign(4 * p.data)
    save_pretrained(model, folder / "base")
    ByteTokenizer().save(folder / "base")
    (folder / "good.jsonl").write_text("".join(json.dumps(line) + "\n" for line in LINES))
    return folder


def finetune(place, out, *more, data="good.jsonl"):
    return main(["finetune", str(place / "base"), "--data", str(place / data), "--out", str(out), *FLAGS, *more])


def logits(opened, text="User: cat\nAssistant: "):
    opened.model.to("cpu")  # where every new tensor lies on a GPU, what is merged does
    with no_grad():
        return opened.model(np.array([opened.tokenizer.encode(text)])).numpy()


@pytest.fixture(scope="module")
def runs(place, tmp_path_factory):
    """Of each method a run, long enough to learn something."""
    folder = tmp_path_factory.mktemp("runs")

    def of(method):
        out = folder / method
        if not out.exists():
            assert finetune(place, out, "--method", method, "--steps", "30", "--eval-every", "10") == 0
        return out

    return of


@pytest.mark.parametrize("method", METHODS)
def test_every_method_learns_from_the_lines(method, runs):
    events = list(read_log(runs(method) / "log.jsonl"))
    losses = [event["val_loss"] for event in events if "val_loss" in event]
    assert min(losses[1:]) < losses[0] - 0.05, losses
    saved = load_checkpoint(runs(method) / "checkpoint" / "last")
    assert ("model" in saved.arrays) == (method == "full") and ("trained" in saved.arrays) == (method != "full")


LEARNED = {
    "lora": {"lora_A", "lora_B"}, "dora": {"lora_A", "lora_B", "lora_magnitude_vector"}, "qlora": {"lora_A", "lora_B"}, "ia3": {"ia3_l"},
    "adapter": {"down.weight", "down.bias", "up.weight", "up.bias"}, "prefix": {"prefix_keys", "prefix_values"},
}  # fmt: skip


@pytest.mark.parametrize("method", LEARNED)
def test_each_method_learns_numbers_of_its_own_kind_alone(method, runs):
    trained = load_checkpoint(runs(method) / "checkpoint" / "last").arrays["trained"]
    assert {name.split(".default.")[-1] if ".default." in name else name.split(".")[-1] for name in trained} == LEARNED[
        method
    ]
    layers = [layer for _, layer in open_model(runs(method), fold=False).model.named_modules()]
    assert any(isinstance(layer, QuantizedLinear) for layer in layers) == (method == "qlora")


@pytest.mark.parametrize("method", METHODS)
def test_a_run_that_was_interrupted_goes_on_to_the_same_bits(method, place, tmp_path):
    config = FinetuneConfig(
        model=str(place / "base"), data=str(place / "good.jsonl"), method=method, steps=6, batch_size=2, threads="1", rank=4,
        virtual_tokens=4, adapter_dropout=0.1 if method in ("lora", "dora", "qlora", "adapter") else 0.0,
    )  # fmt: skip
    start_finetune(config, tmp_path / "whole", str).run(progress=False, report=str)
    trainer = start_finetune(config, tmp_path / "halves", str)
    step = trainer._after_step
    trainer._after_step = lambda report: (trainer._ask_to_stop(signal.SIGINT, None) if trainer.step_number == 3 else None, step(report))  # fmt: skip
    with pytest.raises(Interrupted):
        trainer.run(progress=False, report=str)
    resumed = resume_finetune(tmp_path / "halves", {}, str)
    assert resumed.step_number == 3
    resumed.run(progress=False, report=str)
    one, other = (load_checkpoint(tmp_path / name / "checkpoint" / "last") for name in ("whole", "halves"))
    assert one.arrays.keys() == other.arrays.keys() and one.documents["state"] == other.documents["state"]
    for group, arrays in one.arrays.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, other.arrays[group][name], err_msg=f"{group} {name}")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_ctrl_c_saves_and_says_how_to_go_on(place, tmp_path, capsys):
    out = tmp_path / "run"
    flags = ["--steps", "1000000", "--log-every", "1", "--eval-every", "1000000"]
    argv = ["finetune", str(place / "base"), "--data", str(place / "good.jsonl"), "--out", str(out), *FLAGS, *flags]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "tinygrad_llm", *argv], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    while not (out / "log.jsonl").exists() or (out / "log.jsonl").read_text().count('"grad_norm"') < 3:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 130 and f"Go on with: tgl finetune --resume --out {out}" in error
    step = load_checkpoint(out / "checkpoint" / "last").documents["state"]["step"]
    assert step >= 3 and main(["finetune", "--resume", "--out", str(out), "--steps", str(step + 2)]) == 0
    assert f"step {step} of {step + 2}" in capsys.readouterr().out


def with_bad_lines(place):
    lines = [json.dumps(line) for line in LINES]
    for number, (line, _) in BAD.items():
        lines.insert(number - 1, line)
    (place / "bad.jsonl").write_text("\n".join(lines))


def test_each_bad_line_is_named_with_what_is_missing_and_nothing_is_begun(place, tmp_path, capsys):
    with_bad_lines(place)
    assert finetune(place, tmp_path / "run", data="bad.jsonl") == 2
    error = capsys.readouterr().err
    for number, (_, what) in BAD.items():
        found = [line for line in error.splitlines() if line.startswith(f"{place / 'bad.jsonl'}:{number}: ")]
        assert len(found) == 1 and what in found[0], (number, error)
    assert f"got {len(BAD)} of {len(BAD) + len(LINES)} lines" in error and "--skip-bad-lines" in error
    assert not (tmp_path / "run").exists()


def test_bad_lines_are_left_out_where_that_is_asked_for(place, tmp_path, capsys):
    with_bad_lines(place)
    assert finetune(place, tmp_path / "run", "--skip-bad-lines", data="bad.jsonl") == 0
    assert f"{len(BAD)} of {len(BAD) + len(LINES)} lines are left out" in capsys.readouterr().err
    assert finetune(place, tmp_path / "good") == 0
    one, other = (
        load_checkpoint(tmp_path / name / "checkpoint" / "last").arrays["trained"] for name in ("run", "good")
    )
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_a_letter_that_the_tokenizer_lacks_is_added_or_makes_a_bad_line(place, tmp_path, capsys):
    alphabet = "".join(sorted(set("SystemUserAssistant: \n?" + "".join(json.dumps(line) for line in LINES))))
    base = tmp_path / "base"
    save_pretrained(GPT(GPTConfig(len(alphabet), 96, 1, 2, 16), rng=np.random.default_rng(0)), base)
    CharTokenizer(alphabet).save(base)
    (tmp_path / "data.jsonl").write_text(
        "".join(json.dumps(line) + "\n" for line in [*LINES, {"prompt": "ü", "completion": "u"}])
    )
    argv = ["finetune", str(base), "--data", str(tmp_path / "data.jsonl"), "--out", str(tmp_path / "run"), *FLAGS]
    assert main([*argv, "--no-add-letters"]) == 2
    assert f"data.jsonl:{len(LINES) + 1}: has 'ü' (U+00FC) at position 0" in capsys.readouterr().err
    assert main(argv) == 0
    assert "template: plain; added to the vocabulary: the letters 'ü'\n" in capsys.readouterr().err
    opened = open_model(tmp_path / "run")
    assert opened.tokenizer.alphabet == alphabet + "ü" and opened.model.vocab_size == len(alphabet) + 1
    save_pretrained(GPT(GPTConfig(9, 96, 1, 2, 16), rng=np.random.default_rng(0)), base)
    CharTokenizer("abcdefghi").save(base)  # it cannot write the plain template
    assert main([*argv[: -len(FLAGS)], *FLAGS, "--out", str(tmp_path / "few")]) == 0
    error = capsys.readouterr().err
    assert "template: chatml; added to the vocabulary: <|im_start|>, <|im_end|>, the letters '\\n" in error


@pytest.mark.parametrize("method", sorted(WHOLE))
def test_what_is_merged_computes_what_the_run_computes(method, runs, tmp_path, capsys):
    assert main(["merge", str(runs(method)), "--out", str(tmp_path / "merged")]) == 0
    run, merged = open_model(runs(method), fold=False), open_model(tmp_path / "merged")
    assert (
        type(merged.model) is GPT
        and merged.template == "plain"
        and merged.tokenizer.to_dict() == run.tokenizer.to_dict()
    )
    expected = logits(run)
    np.testing.assert_allclose(logits(merged), expected, atol=1e-6 * max(1.0, float(np.abs(expected).max())), rtol=0)
    assert ("4 bits a weight" in capsys.readouterr().out) == (method == "qlora")
    before = {p.name: p.read_bytes() for p in (tmp_path / "merged").iterdir()}
    assert main(["merge", str(runs(method)), "--out", str(tmp_path / "merged")]) == 2
    assert "expected a folder that is new or empty" in capsys.readouterr().err
    assert {p.name: p.read_bytes() for p in (tmp_path / "merged").iterdir()} == before
    assert not (tmp_path / "merged.new").exists()


@pytest.mark.parametrize("method", sorted(set(METHODS) - WHOLE))
def test_what_cannot_be_merged_is_refused_and_leaves_nothing(method, runs, tmp_path, capsys):
    run = runs(method)
    capsys.readouterr()  # what its training said
    assert main(["merge", str(run), "--out", str(tmp_path / "merged")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: merge: expected ") and error.count("\n") == 1 and not list(tmp_path.iterdir())


def test_a_folder_with_a_run_is_refused_and_a_run_belongs_to_its_command(place, runs, tmp_path, capsys):
    assert finetune(place, runs("lora")) == 2
    assert "a folder without a run" in capsys.readouterr().err
    assert main(["train", "--resume", "--out", str(runs("lora"))]) == 2
    assert "tgl finetune --resume" in capsys.readouterr().err
    assert main(["finetune", "--resume", "--out", str(runs("lora")), "--rank", "7"]) == 2
    assert "rank = 4" in capsys.readouterr().err
    assert main(["finetune", "--resume", "--out", str(runs("lora"))]) == 0
    assert "This run is finished" in capsys.readouterr().out


@pytest.mark.parametrize(("first", "then"), [("lora", "full"), ("full", "lora"), ("dora", "ia3")])
def test_what_was_fine_tuned_is_fine_tuned_further(first, then, place, runs, tmp_path, capsys):
    argv = [
        "finetune",
        str(runs(first)),
        "--data",
        str(place / "good.jsonl"),
        "--out",
        str(tmp_path / "run"),
        *FLAGS,
        "--method",
        then,
    ]
    assert main(argv) == 0
    assert "template: plain\n" in capsys.readouterr().err
    losses = {}
    for out in (runs(first), tmp_path / "run"):
        losses[out] = [event["val_loss"] for event in read_log(out / "log.jsonl") if "val_loss" in event]
    before, after = losses.values()
    assert after[0] == pytest.approx(min(before[1:]), rel=1e-4) and after[-1] != after[0]


@pytest.mark.parametrize("method", ["adapter", "prefix", "qlora"])
def test_what_is_not_a_plain_model_is_to_be_merged_before_it_is_fine_tuned_further(
    method, place, runs, tmp_path, capsys
):
    argv = ["finetune", str(runs(method)), "--data", str(place / "good.jsonl"), "--out", str(tmp_path / "run"), *FLAGS]
    assert main(argv) == 2
    assert "expected a model without adapters" in capsys.readouterr().err and not (tmp_path / "run").exists()


def test_an_adapter_knows_its_base_by_its_weights(place, tmp_path, capsys):
    shutil.copytree(place / "base", tmp_path / "base")
    out = tmp_path / "run"
    assert (
        main(["finetune", str(tmp_path / "base"), "--data", str(place / "good.jsonl"), "--out", str(out), *FLAGS]) == 0
    )
    expected = logits(open_model(out))
    (tmp_path / "base").rename(tmp_path / "moved")
    assert main(["chat", str(out)]) == 2
    assert "Name it: --base" in capsys.readouterr().err
    np.testing.assert_array_equal(logits(open_model(out, tmp_path / "moved")), expected)
    save_pretrained(GPT(GPTConfig(256, 96, 2, 2, 16), rng=np.random.default_rng(1)), tmp_path / "moved")
    assert main(["chat", str(out), "--base", str(tmp_path / "moved")]) == 2
    assert "other weights" in capsys.readouterr().err


def test_special_tokens_that_a_template_needs_are_added_and_survive_merging(place, tmp_path, capsys):
    out, merged = tmp_path / "run", tmp_path / "merged"
    assert finetune(place, out, "--template", "chatml", "--method", "full") == 0
    assert "added to the vocabulary: <|im_start|>, <|im_end|>" in capsys.readouterr().err
    assert main(["merge", str(out), "--out", str(merged)]) == 0
    opened = open_model(merged)
    assert opened.template == "chatml" and opened.model.vocab_size == 258 == opened.tokenizer.vocab_size
    ids = TEMPLATES["chatml"].encode(opened.tokenizer, [{"role": "user", "content": "<|im_end|>"}]).ids.tolist()
    assert ids.count(257) == 1 and ids[0] == 256
    assert (
        main(["finetune", str(merged), "--data", str(place / "good.jsonl"), "--out", str(tmp_path / "again"), *FLAGS])
        == 0
    )
    assert "template: chatml\n" in capsys.readouterr().err


def test_a_mark_that_was_added_ends_an_answer_also_where_an_adapter_alone_is_learned(place, tmp_path):
    out = tmp_path / "run"
    more = ["--template", "chatml", "--steps", "150", "--lr", "0.02", "--schedule", "constant", "--eval-every", "150"]
    assert finetune(place, out, *more) == 0
    opened = open_model(out / "checkpoint" / "last")
    talk = Conversation(
        opened.model.to("cpu"),
        opened.tokenizer,
        TEMPLATES["chatml"],
        sampler=Sampler(greedy=True),
        rng=np.random.default_rng(0),
        most=12,
    )
    ends = []
    for who in ANSWERS:
        talk.reset()
        "".join(talk.ask(f"what says a {who}?"))
        ends.append(not talk.is_cut)
    assert sum(ends) >= 3, ends


def test_messages_of_several_lines_choose_a_template_that_a_line_break_does_not_end(place, tmp_path, capsys):
    lines = [*LINES, {"prompt": "a", "completion": "one\ntwo"}]
    (place / "several.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert finetune(place, tmp_path / "run", data="several.jsonl") == 0
    assert "template: chatml; added" in capsys.readouterr().err
    assert finetune(place, tmp_path / "plain", "--template", "plain", data="several.jsonl") == 0
    assert "template: plain\n" in capsys.readouterr().err


def test_a_models_own_marks_choose_the_template(tmp_path, place, capsys):
    base = tmp_path / "base"
    tokenizer = RegexBPETokenizer.train("what says a cat? " * 9, 262, special=["<|im_start|>", "<|im_end|>"])
    save_pretrained(Llama(LlamaConfig(tokenizer.vocab_size, 96, 1, 2, 16, 24), rng=np.random.default_rng(0)), base)
    tokenizer.save(base)
    out = tmp_path / "run"
    assert main(["finetune", str(base), "--data", str(place / "good.jsonl"), "--out", str(out), *FLAGS]) == 0
    assert "template: chatml\n" in capsys.readouterr().err
    assert load_tokenizer(base).to_dict() == open_model(out).tokenizer.to_dict()


@pytest.mark.parametrize(
    ("flags", "changes"),
    [
        (["--lr", "0.5"], {"lr": 0.5}), (["--epochs", "2"], {"steps": 7}), (["--held-out", "0.5"], {}), (["--rank", "3"], {"rank": 3}), (["--alpha", "1"], {"alpha": 1.0}),
        (["--targets", "q_proj,v_proj"], {}), (["--accumulate", "2"], {}), (["--seed", "3"], {}), (["--weight-decay", "1"], {}), (["--final-lr", "1"], {}),
        (["--schedule", "constant"], {}), (["--beta1", "0.1"], {}), (["--beta2", "0.1"], {}), (["--clip", "0.01"], {}), (["--warmup", "4"], {}), (["--adapter-dropout", "0.5"], {}),
        (["--batch-size", "3"], {}), (["--template", "chatml"], {}),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)  # fmt: skip
def test_each_flag_reaches_the_run(flags, changes, place, tmp_path):
    usual = ["--steps", "6"] if "--epochs" not in flags else []
    arguments = ["--batch-size", "2", "--warmup", "0", "--threads", "1", "--rank", "4"]
    for name, more in (("usual", ["--steps", "6"]), ("changed", [*usual, *flags])):
        argv = [
            "finetune",
            str(place / "base"),
            "--data",
            str(place / "good.jsonl"),
            "--out",
            str(tmp_path / name),
            *arguments,
            *more,
        ]
        assert main(argv) == 0
    one, other = (load_checkpoint(tmp_path / name / "checkpoint" / "last") for name in ("usual", "changed"))
    for key, value in changes.items():
        assert other.documents["run"]["config"][key] == value
    same = one.arrays["trained"].keys() == other.arrays["trained"].keys()
    assert not same or any(
        not np.array_equal(a, other.arrays["trained"][name]) for name, a in one.arrays["trained"].items()
    )
