"""`tgl align`: by every method a user's lines are learned, each bad one is named, a run goes on to the same bits."""

from __future__ import annotations

import json
import signal

import numpy as np
import pytest

from tinygrad_llm.align import Reference, RewardModel, Rollout, answer_batch, online
from tinygrad_llm.align.data import Encoder, Said
from tinygrad_llm.align.online import Online
from tinygrad_llm.align.opened import open_reward
from tinygrad_llm.align.run import resume_align, start_align
from tinygrad_llm.align.settings import OF_ONE, OF_PAIRS, WRITING, AlignConfig
from tinygrad_llm.autograd import no_grad
from tinygrad_llm.cli.main import main
from tinygrad_llm.errors import CheckpointError, ConfigError, DataError
from tinygrad_llm.finetune.opened import open_model
from tinygrad_llm.models import GPT, GPTConfig, save_pretrained
from tinygrad_llm.ops import IGNORE
from tinygrad_llm.tokenizer import TEMPLATES, ByteTokenizer
from tinygrad_llm.train import Interrupted, load_checkpoint
from tinygrad_llm.train.log import read_log

WHO = ["cat", "dog", "cow", "hen", "owl", "fox", "bee", "ant"]
PAIRS = [{"prompt": f"{who}?", "chosen": "aa" * (1 + n % 2), "rejected": "bb"} for n, who in enumerate(WHO)]
LABELS = [{"prompt": f"{who}?", "completion": "ab"[n % 2] * 2, "label": n % 2 == 0} for n, who in enumerate(WHO)]
SUMS = [
    {"prompt": [{"role": "system", "content": "x"}, {"role": "user", "content": who}], "answer": "aa"} for who in WHO
]
STEADY = {"steps": 100, "batch_size": 8, "group_size": 4, "lr": 0.001, "adapter": "full", "eval_every": 10}
SETTINGS = {
    "steps": 6, "batch_size": 2, "eval_every": 3, "warmup": 0, "threads": "1", "rank": 4, "answer_tokens": 3, "group_size": 4,
    "held_out": 0.3, "template": "chatml", "lr": 0.01,
}  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("align")
    model = GPT(GPTConfig(256, 80, 1, 2, 16), rng=np.random.default_rng(0))
    for p in model.parameters():
        p.assign(3 * p.data)
    save_pretrained(model, folder / "base")
    ByteTokenizer().save(folder / "base")
    for name, lines in (("pairs", PAIRS), ("labels", LABELS), ("sums", SUMS)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def config(place, method, **more):
    data = "pairs" if method in OF_PAIRS else "labels" if method in OF_ONE else "sums"
    own = {"verifier": "contains"} if method in WRITING and "reward_model" not in more else {}
    named = {"model": str(place / "base"), "data": str(place / f"{data}.jsonl"), "method": method}
    return AlignConfig(**SETTINGS | named | own | more)


def run(settings, out):
    trainer = start_align(settings, out, str)
    trainer.run(progress=False, report=str)
    return trainer


def judged(out, name):
    return [event[name] for event in read_log(out / "log.jsonl") if name in event]


@pytest.mark.parametrize("method", OF_PAIRS + OF_ONE)
def test_every_method_learns_from_the_lines(method, place, tmp_path):
    run(config(place, method, steps=40, eval_every=20, adapter="full"), tmp_path / "run")
    losses = judged(tmp_path / "run", "val_loss")
    assert min(losses[1:]) < 0.9 * losses[0], losses
    if method not in OF_ONE:
        assert judged(tmp_path / "run", "val_accuracy")[-1] == 1.0
    moved = judged(tmp_path / "run", "val_chosen")
    assert bool(moved) == (method in ("dpo", "cdpo", "ipo", "hinge")) and (
        not moved or abs(moved[0]) < 1e-5 < abs(moved[-1])
    )
    if method in ("dpo", "hinge", "reward", "kto"):  # before anything is learned both answers are alike
        assert losses[0] == pytest.approx({"hinge": 1.0, "kto": 0.5}.get(method, np.log(2)), rel=1e-5)


@pytest.fixture(scope="module")
def answers(place, tmp_path_factory):
    """A model that says a or b to whatever it is asked, and lines of which a is right."""
    folder = tmp_path_factory.mktemp("answers")
    said = [{"prompt": who, "completion": says} for who in WHO for says in "ab"]
    asked = [{"prompt": who, "answer": "a"} for who in WHO]
    for name, lines in (("said", said), ("asked", asked)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    argv = [
        "finetune",
        str(place / "base"),
        "--data",
        str(folder / "said.jsonl"),
        "--out",
        str(folder / "sft"),
        "--method",
        "full",
    ]
    options = [
        "--template",
        "chatml",
        "--steps",
        "80",
        "--lr",
        "0.01",
        "--batch-size",
        "4",
        "--threads",
        "1",
        "--warmup",
        "0",
    ]
    assert main([*argv, *options]) == 0
    return {"model": str(folder / "sft"), "data": str(folder / "asked.jsonl")}


@pytest.mark.parametrize("method", WRITING)
def test_what_is_rewarded_is_written_more_often(method, place, answers, tmp_path):
    trainer = run(config(place, method, kl_coef=0.0, **STEADY, **answers), tmp_path / "run")
    rewards = judged(tmp_path / "run", "val_reward")
    assert rewards[0] < 0.8 and rewards[-1] > 0.97 and trainer.best == -max(rewards), rewards
    assert len(trainer.corpus.task.written) == 1  # what is learned from no longer is let go of


def test_a_policy_ends_where_the_price_of_a_nat_says(place, answers, tmp_path):
    """The best one is p(y) ~ ref(y) e^(r / price): of rewards 1 and 0 their odds grow by e^(1 / price)."""
    run(config(place, "ppo", kl_coef=1.0, **STEADY, **answers), tmp_path / "run")
    rewards = judged(tmp_path / "run", "val_reward")
    odds = rewards[0] / (1 - rewards[0]) * np.e
    assert np.mean(rewards[-4:]) == pytest.approx(odds / (1 + odds), abs=0.08)


def stopped_at(step, settings, out):
    trainer = start_align(settings, out, str)
    after = trainer._after_step
    trainer._after_step = lambda report: (trainer._ask_to_stop(signal.SIGINT, None) if trainer.step_number == step else None, after(report))  # fmt: skip
    with pytest.raises(Interrupted):
        trainer.run(progress=False, report=str)


RESUMED = {
    "dpo": {}, "simpo": {"adapter": "full"}, "kto": {"adapter_dropout": 0.1}, "reward": {"adapter": "qlora"},
    "ppo": {"updates": 4, "kl_target": 0.5, "accumulate": 2}, "grpo": {"updates": 2, "adapter": "full", "kl_coef": 0.1},
}  # fmt: skip


@pytest.mark.parametrize("method", RESUMED)
def test_a_run_that_was_interrupted_goes_on_to_the_same_bits(method, place, tmp_path):
    """Where PPO and GRPO are stopped, in the middle of what was written once."""
    settings = config(place, method, **RESUMED[method])
    run(settings, tmp_path / "whole")
    stopped_at(3, settings, tmp_path / "halves")
    resumed = resume_align(tmp_path / "halves", {}, str)
    assert resumed.step_number == 3
    resumed.run(progress=False, report=str)
    one, other = (load_checkpoint(tmp_path / name / "checkpoint" / "last") for name in ("whole", "halves"))
    assert one.arrays.keys() == other.arrays.keys() and one.documents["state"] == other.documents["state"]
    assert one.documents.get("rollout") == other.documents.get("rollout")
    for group, arrays in one.arrays.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, other.arrays[group][name], err_msg=f"{group} {name}")


@pytest.mark.parametrize("method", ["grpo", "ppo"])
def test_what_was_written_once_serves_as_many_steps_as_are_asked_for(method, place, tmp_path):
    trainer = start_align(config(place, method, updates=3, batch_size=2), tmp_path / "run", str)
    batches = [trainer.batches[n] for n in range(4)]
    assert batches[0] is batches[1] is batches[2] and batches[3] is not batches[0]
    assert len(batches[0]["tokens"]) == 8


def test_a_run_learns_by_the_librarys_loss_of_the_lines(place, tmp_path):
    trainer = start_align(config(place, "dpo", adapter="full", beta=0.3), tmp_path / "run", str)
    with no_grad():
        for p in trainer.model.parameters():
            p.assign(1.3 * p.data)
    task, base = trainer.corpus.task, open_model(place / "base").model
    rows = task.examples[:2]
    mine, theirs = {}, {}
    for found, model in ((mine, trainer.model), (theirs, task.reference.model)):
        for name in ("chosen", "rejected"):
            batch = answer_batch([row.prompt for row in rows], [getattr(row, name) for row in rows], 0)
            found[name] = Reference(model).answer_log_probs(batch)
    assert base.vocab_size < trainer.model.vocab_size  # the template's marks
    d = [mine[name] - theirs[name] for name in ("chosen", "rejected")]
    expected = np.log1p(np.exp(-0.3 * (d[0] - d[1]))).mean()
    assert trainer.loss(task.collate(rows)).item() == pytest.approx(expected, rel=1e-4)


def test_an_example_is_the_templates_dialogue_cut_where_the_answer_begins():
    tokenizer, template = ByteTokenizer(), TEMPLATES["plain"]
    encoder = Encoder(tokenizer, template, None)
    said = Said(
        [{"role": "system", "content": "x"}, {"role": "user", "content": "why?"}],
        {"chosen": "so", "rejected": "no way"},
    )
    pair = encoder.pair(said)
    for name, ids in (("chosen", pair.chosen), ("rejected", pair.rejected)):
        whole = template.encode(tokenizer, [*said.messages, {"role": "assistant", "content": said.answers[name]}])
        assert (
            pair.prompt + ids == whole.ids.tolist()
            and [False] * len(pair.prompt) + [True] * len(ids) == whole.learned.tolist()
        )
    assert encoder.answer("so", ended=False) == tokenizer.encode("so") and encoder.end() == tokenizer.encode("\n")
    one, other = encoder.labelled(said)
    assert (one.answer, one.desirable, other.answer, other.desirable) == (pair.chosen, True, pair.rejected, False)


BAD = {
    2: ('{"prompt": "a"}', 'has "prompt" but no "chosen" and "rejected"'),
    3: ('{"prompt": "a", "chosen": "b", "rejected": "b"}', "are the same"),
    4: ('{"prompt": "a", "chosen": "", "rejected": "b"}', '"chosen" must be text, not ""'),
    5: ('{"prompt": [], "chosen": "a", "rejected": "b"}', '"prompt" must be a list of at least one message'),
    6: ('{"prompt": [{"role": "assistant", "content": "a"}], "chosen": "a", "rejected": "b"}', "must end with a message that is to be answered"),
    7: ('{"prompt": "a", "chosen": [{"role": "user", "content": "a"}], "rejected": "b"}', '"chosen" must be a text, or one message of an assistant'),
    8: (json.dumps({"prompt": "a" * 80, "chosen": "a", "rejected": "b"}), "tokens long, and the model reads 80"),
    9: ('{"prompt": [{"role": "user"}], "chosen": "a", "rejected": "b"}', '"prompt"[0] has no "content"'),
}  # fmt: skip


def test_each_bad_line_is_named_and_left_out_where_that_is_asked_for(place, tmp_path, capsys):
    lines = [json.dumps(line) for line in PAIRS]
    for number, (line, _) in BAD.items():
        lines.insert(number - 1, line)
    (tmp_path / "bad.jsonl").write_text("\n".join(lines))
    argv = [
        "align",
        str(place / "base"),
        "--data",
        str(tmp_path / "bad.jsonl"),
        "--out",
        str(tmp_path / "run"),
        "--threads",
        "1",
    ]
    assert main(argv) == 2
    error = capsys.readouterr().err
    for number, (_, what) in BAD.items():
        found = [line for line in error.splitlines() if line.startswith(f"{tmp_path / 'bad.jsonl'}:{number}: ")]
        assert len(found) == 1 and what in found[0], (number, error)
    assert f"got {len(BAD)} of {len(lines)} lines" in error and not (tmp_path / "run").exists()
    assert main([*argv, "--skip-bad-lines", "--steps", "2"]) == 0
    assert "are left out" in capsys.readouterr().err


REFUSED = [
    ("grpo", {"verifier": None}, "a verifier or a reward model"), ("dpo", {"verifier": "text"}, "none: only ppo and grpo"),
    ("ppo", {"verifier": "text", "reward_model": "x"}, "verifier and"), ("dpo", {"data": None}, "a file of JSON lines"),
    ("grpo", {"kl_target": 1.0}, "ppo, with a kl_coef"), ("ppo", {"kl_target": 1.0, "kl_coef": 0.0}, "ppo, with a kl_coef"),
    ("ppo", {"verifier": None, "reward_model": "nothing-here"}, "a run of tgl align --method reward"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "more", "words"), REFUSED)
def test_what_cannot_be_is_refused_before_anything_is_written(method, more, words, place, tmp_path):
    with pytest.raises((ConfigError, CheckpointError), match=words.split(" and")[0]):
        start_align(config(place, method, **more), tmp_path / "run", str)
    assert not (tmp_path / "run").exists()


def test_kto_needs_another_answer_to_hold_one_against(place, tmp_path):
    (tmp_path / "two.jsonl").write_text("".join(json.dumps(line) + "\n" for line in LABELS[:2]))
    with pytest.raises(DataError, match="at least 2 answers for kto"):
        start_align(config(place, "kto", data=str(tmp_path / "two.jsonl")), tmp_path / "run", str)


def test_an_answer_that_may_not_fit_is_a_bad_line(place, tmp_path, capsys):
    with pytest.raises(DataError, match=f"{len(SUMS)} of {len(SUMS)} lines"):
        start_align(config(place, "grpo", answer_tokens=80), tmp_path / "run", print)
    assert "with the 80 that may be written, and the model reads 80" in capsys.readouterr().out


@pytest.fixture(scope="module")
def rated(place, tmp_path_factory):
    """A run of a reward model."""
    out = tmp_path_factory.mktemp("rated") / "run"
    run(config(place, "reward", steps=40, eval_every=40), out)
    return out


def test_a_reward_model_rates_what_it_has_learned_and_answers_nobody(rated, place, tmp_path, capsys):
    rater = open_reward(rated)
    asked = [[{"role": "user", "content": "cat?"}]] * 2
    good, bad = rater(asked, ["aa", "bb"], [True, True])
    assert good > bad
    encoder, model = rater.encoder, rater.model
    assert isinstance(model, RewardModel)
    np.testing.assert_array_equal(model.rewards([encoder.prompt(asked[0])], [encoder.answer("aa")]), [good])
    assert rater(asked[:1], ["aa"], [False])[0] != good  # it reads whether an answer has ended
    for command in (["chat", str(rated)], ["merge", str(rated), "--out", str(tmp_path / "x")], ["sample", str(rated)]):
        assert main(command) == 2
        assert "a model that writes" in capsys.readouterr().err or command[0] == "sample"
    with pytest.raises(CheckpointError, match="tgl align MODEL --method reward"):
        open_reward(place / "base")


def test_a_policy_learns_from_a_reward_model(rated, place, tmp_path):
    settings = config(
        place, "ppo", reward_model=str(rated), data=str(place / "pairs.jsonl"), steps=80, batch_size=8, eval_every=40, answer_tokens=4,
        adapter="full", kl_target=20.0,
    )  # fmt: skip
    trainer = run(settings, tmp_path / "run")
    rewards = judged(tmp_path / "run", "val_reward")
    assert rewards[-1] > rewards[0] + 0.5, rewards
    assert trainer.corpus.task.price.value < trainer.config.kl_coef  # it was cheap, for the policy stayed near


def test_only_an_end_that_was_meant_is_an_end(place, tmp_path, monkeypatch):
    task = start_align(config(place, "grpo"), tmp_path / "run", str).corpus.task
    assert isinstance(task, Online)
    (end,), other = task.encoder.end(), next(i for i in task.special if i not in task.encoder.end())
    said, seen = [[97, end], [97, other], [97]], []
    written = Rollout([[1]] * 3, said, np.array([True, True, False]), {})
    monkeypatch.setattr(online, "rollout", lambda *arguments, **options: written)
    task.reward = lambda rows, texts, ended: (seen.extend(zip(texts, ended)), np.zeros(len(rows)))[1]
    task.write(task.examples[:3], 1, (0,))
    assert seen == [("a", True), ("a", False), ("a", False)]
    rows = [task.examples[0]._replace(expected="a")] * 2
    assert online.verified_by("text")(rows, ["a", "a"], [True, False]).tolist() == [1.0, 0.0]


def test_accumulated_batches_are_one_large_one(place, tmp_path):
    found = []
    for name, sizes in (("one", {"batch_size": 4}), ("two", {"batch_size": 2, "accumulate": 2})):
        trainer = run(config(place, "dpo", adapter="full", steps=1, clip=0.0, **sizes), tmp_path / name)
        found.append(np.concatenate([p.numpy().reshape(-1) for p in trainer.model.parameters()]))
    np.testing.assert_allclose(*found, atol=1e-5)
    losses = [
        [event["loss"] for event in read_log(tmp_path / name / "log.jsonl") if "grad_norm" in event]
        for name in ("one", "two")
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_a_run_belongs_to_its_command(rated, place, tmp_path, capsys):
    for kind in ("train", "finetune"):
        assert main([kind, "--resume", "--out", str(rated)]) == 2
        assert f"tgl align --resume --out {rated}" in capsys.readouterr().err
    assert main(["align", "--resume", "--out", str(rated), "--beta", "0.5"]) == 2
    assert "beta = None" in capsys.readouterr().err
    assert main(["align", "--resume", "--out", str(rated)]) == 0
    assert "This run is finished" in capsys.readouterr().out
    assert main(["align", str(place / "base"), "--data", str(place / "pairs.jsonl"), "--out", str(rated)]) == 2
    assert "a folder without a run" in capsys.readouterr().err


@pytest.mark.parametrize("adapter", ["lora", "full", "qlora", "prefix", "ia3"])
def test_what_was_aligned_is_opened_as_any_other_model(adapter, place, tmp_path, capsys):
    trainer = run(config(place, "dpo", adapter=adapter, virtual_tokens=3), tmp_path / "run")
    opened = open_model(tmp_path / "run" / "checkpoint" / "last")
    opened.model.to("cpu")  # where every new tensor lies on a GPU, what is merged does
    tokens = np.array([[1, 2, 3, 4]])
    with no_grad():
        expected = trainer.model(tokens).numpy()
        np.testing.assert_allclose(opened.model(tokens).numpy(), expected, atol=1e-5 * np.abs(expected).max())
    assert opened.template == "chatml"
    capsys.readouterr()
    assert main(["merge", str(tmp_path / "run"), "--out", str(tmp_path / "merged")]) == (
        2 if adapter == "prefix" else 0
    )


def test_the_command_says_what_it_learns_and_what_came_of_it(place, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    argv = [
        "align",
        str(place / "base"),
        "--data",
        str(place / "pairs.jsonl"),
        "--steps",
        "4",
        "--batch-size",
        "2",
        "--threads",
        "1",
    ]
    assert main(argv) == 0
    said = capsys.readouterr()
    assert (
        "template: plain" in said.err
        and "dpo, lora:" in said.out
        and "7 pairs to learn from, 1 held out; 4 steps" in said.out
    )
    assert (
        "held-out loss 0.6931 before" in said.out
        and "the model's answer" in said.out
        and "tgl chat out/pairs-dpo" in said.out
    )
    assert (tmp_path / "out/pairs-dpo/loss.svg").exists()
    assert json.loads(said.out.splitlines()[-1])["first_val_loss"] == pytest.approx(np.log(2), rel=1e-5)


def test_targets_of_a_batch_are_the_answers(place, tmp_path):
    task = start_align(config(place, "dpo"), tmp_path / "run", str).corpus.task
    batch = task.collate(task.examples[:3])
    assert ((batch["chosen_targets"] != IGNORE).sum(1) == [len(row.chosen) for row in task.examples[:3]]).all()
