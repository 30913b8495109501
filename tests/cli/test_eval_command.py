"""`tgl eval` in all its ways: what is printed and written is what was measured, and what does not fit is refused."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from tinygrad_llm.cli import evaluate as module
from tinygrad_llm.cli.main import main
from tinygrad_llm.evaluate import compare, corpus_bleu, measure, read_predictions
from tinygrad_llm.evaluate.ask import Examinee
from tinygrad_llm.evaluate.exam import KNOWN
from tinygrad_llm.finetune.opened import Opened
from tinygrad_llm.models import GPT, GPTConfig, save_pretrained
from tinygrad_llm.tokenizer import ByteTokenizer
from tinygrad_llm.tokenizer.chat import CHATML, PLAIN

SAID, OTHER, WANTED = (
    ["the cat sat", "a dog ran", "no"],
    ["the cat", "dogs run", "no"],
    ["the cat sat down", "a dog runs", "no"],
)
TASKS = [
    {"prompt": "The capital of France is", "reference": "Paris"}, {"prompt": "Two and two are", "choices": [" four", " five"], "answer": 0},
    {"text": "Paris lies on the Seine."}, {"prompt": "One and one are", "choices": [" two", " three"], "answer": " two"},
]  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("eval")
    for name, seed in (("one", 0), ("two", 1)):
        model = GPT(GPTConfig(256, 32, 1, 2, 8), rng=np.random.default_rng(seed))
        for p in model.parameters():
            p.assign(3 * p.data)
        save_pretrained(model, folder / name)
        ByteTokenizer().save(folder / name)
    for name, texts in (("a", SAID), ("b", OTHER)):
        lines = [{"prediction": text, "reference": wanted, "confidence": 0.5} for text, wanted in zip(texts, WANTED)]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        (folder / f"{name}.txt").write_text("\n".join(texts) + "\n")
    (folder / "other.jsonl").write_text((folder / "b.jsonl").read_text().replace("a dog runs", "a dog ran"))
    (folder / "wanted.txt").write_text("\n".join(WANTED) + "\n")
    (folder / "tasks.jsonl").write_text("".join(json.dumps(line) + "\n" for line in TASKS))
    (folder / "text.txt").write_text("Paris lies on the Seine, and London does not. " * 3)
    return folder


@pytest.fixture
def ask(place, monkeypatch, capsys):
    """Asks `tgl eval` and gives its status and what it said."""
    monkeypatch.chdir(place)

    def asked(line, status=0):
        assert main(["eval", *line.split(), *(["--resamples", "50"] if "--resamples" not in line else [])]) == status
        shown = capsys.readouterr()
        return shown.err if status else shown.out

    return asked


def numbers(shown, label):
    """Score, low and high of a row."""
    row = re.search(rf"^{re.escape(label)} +(\S+) +(\S+) to (\S+)", shown, re.MULTILINE)
    return [float(number) for number in row.groups()]


def test_a_file_of_predictions_has_every_metric_with_its_interval(ask):
    shown = ask("--predictions a.jsonl")
    for one in measure([], SAID, WANTED, resamples=50, rng=np.random.default_rng(0)):
        assert numbers(shown, one.label) == pytest.approx([one.score, one.low, one.high], abs=6e-3), one.label
    assert numbers(shown, "BLEU")[0] == pytest.approx(corpus_bleu(SAID, WANTED).score, abs=6e-3)
    assert "95% interval" in shown and "calibration error" in shown and "Brier" in shown
    one = ask("--predictions a.jsonl --metric bleu --metric f1 --confidence 0.5 --seed 3")
    assert "50% interval" in one and "BLEU" in one and "F1" in one and "TER" not in one
    low, high = numbers(one, "F1 of words")[1:]
    assert high - low < np.subtract(*numbers(shown, "F1 of words")[:0:-1])


def test_two_plain_texts_are_the_same_predictions(ask):
    assert numbers(ask("--predictions a.txt --references wanted.txt"), "chrF") == numbers(
        ask("--predictions a.jsonl"), "chrF"
    )


@pytest.mark.parametrize("test", ["randomization", "bootstrap"])
def test_two_files_are_compared_by_the_test_that_is_named(test, ask):
    shown = ask(f"--compare a.jsonl b.jsonl --test {test} --metric bleu --metric f1")
    for one in compare(["bleu", "f1"], SAID, OTHER, WANTED, test=test, resamples=50, rng=np.random.default_rng(0)):
        assert re.search(rf"^{one.label} .*  {one.p_value:.4f}  {one.holm:.4f} ", shown, re.MULTILINE)
    assert {"randomization": "approximate randomization", "bootstrap": "paired bootstrap"}[test] in shown
    assert (
        ask(f"--compare a.txt b.txt --references wanted.txt --test {test} --metric bleu --metric f1").splitlines()[2:]
        == shown.splitlines()[2:]
    )


def test_a_model_does_its_tasks_and_what_it_said_can_be_measured_again(ask, place):
    shown = ask("one --tasks tasks.jsonl --save said.jsonl --report page.html --tokens 5")
    assert all(
        words in shown
        for words in ("answers  ", "choices  ", "texts  ", "accuracy", "bits a byte", "said.jsonl", "page.html")
    )
    said = read_predictions(place / "said.jsonl")
    assert [one.references for one in said] == [("Paris",), ("four",), ("two",)] and len(said[0].text.encode()) <= 15
    assert said[1].text in ("four", "five") and 0.5 <= said[1].confidence <= 1 and said[0].prompt == TASKS[0]["prompt"]
    right = [one.text == one.references[0] for one in said[1:]]
    assert numbers(shown, "accuracy")[0] == np.mean(right)
    page = (place / "page.html").read_text(encoding="utf-8")
    assert "Reliability" in page and "tasks.jsonl, 4" in page and "bits a byte" in page
    assert "exact match" in ask("--predictions said.jsonl")


def test_two_models_are_compared_at_the_same_tasks(ask, place):
    shown = ask("--compare one two --tasks tasks.jsonl --report page.html")
    assert all(words in shown for words in ("A  one\nB  two\n4 examples", "bits a byte", "accuracy", "Holm's p"))
    page = (place / "page.html").read_text(encoding="utf-8")
    assert "Which is better?" in page and "A is better" in page and page.count("<svg") == 1
    same = ask("--compare one one --tasks tasks.jsonl --metric bits-per-byte")
    assert re.search(r"bits a byte +(\S+) +\1 +0\.0000 +0\.0000 to 0\.0000 +1\.0000", same)


def test_a_text_has_its_line_alone_and_with_the_metric_an_interval(ask, place):
    line = ask("one text.txt")
    assert re.fullmatch(r"[\d.]+ nats a token   perplexity [\d.]+   ([\d.]+) bits a byte   \(137 tokens\)\n", line)
    shown = ask("one text.txt --metric bits-per-byte")
    assert shown.startswith(line)
    score, low, high = numbers(shown, "bits a byte")
    assert score == pytest.approx(float(re.search(r"([\d.]+) bits", line)[1]), abs=1e-4) and low < score < high
    assert "bits a byte" in ask("one text.txt --report page.html")
    assert "windows of 32 tokens" in (place / "page.html").read_text(encoding="utf-8")


def test_a_question_is_put_as_the_model_learned_it_or_as_it_is_told(ask, monkeypatch, capsys):
    seen, plain = [], module.open_model

    def spied(self, tasks):
        seen.append((self.template, self.tokens, self.batch_size, self.special, self.name))
        return [""] * len(tasks)

    monkeypatch.setattr(Examinee, "answers", spied)
    ask("one --tasks tasks.jsonl")
    ask("one --tasks tasks.jsonl --template plain --tokens 7 --batch-size 3 --special text")
    monkeypatch.setattr(module, "open_model", lambda name: Opened(*[*vars(plain(name)).values()][:2], "chatml", None))
    ask("one --tasks tasks.jsonl --template none")
    with pytest.raises(Exception, match="im_start"):
        module.main(["one", "--tasks", "tasks.jsonl"])
    assert [template for template, *_ in seen] == [None, PLAIN, None, CHATML]
    assert seen[1][1:] == (7, 3, "text", "tasks.jsonl") and seen[0][1:] == (64, 32, "refuse", "tasks.jsonl")


def test_prompts_that_lose_their_beginning_are_told(ask, place, capsys):
    (place / "long.jsonl").write_text(json.dumps({"prompt": "p" * 40, "reference": "a"}))
    monkey = ["eval", "one", "--tasks", "long.jsonl", "--tokens", "1", "--resamples", "9"]
    assert main(monkey) == 0
    assert "1 of 1 tasks were longer than the 32 tokens that one sees at once" in capsys.readouterr().err


WRONG = [
    ("", "run, text"), ("one", "expected text, got none"), ("--tasks tasks.jsonl", "a model that does the tasks"), ("one text.txt --metric bleu", "bits-per-byte, of a text"),
    ("one text.txt --tasks tasks.jsonl", "text: expected its use in another way"), ("--predictions a.jsonl --save x", "--save"),
    ("one --predictions a.jsonl", "run"), ("--compare a.jsonl b.jsonl --tokens 3", "--tokens"), ("--compare a.jsonl", "--compare"),
    ("--predictions a.jsonl --test bootstrap", "--test"), ("one text.txt --template plain", "--template"), ("one --tasks tasks.jsonl --references wanted.txt", "--references"),
    ("--predictions a.jsonl --metric blue", "--metric: expected bleu or"), ("--predictions a.jsonl --metric accuracy", "metric"),
    ("--predictions a.jsonl --report page.pdf", "--report: expected a name that ends with .html"), ("--predictions none.jsonl", "none.jsonl"),
    ("--predictions a.jsonl --references wanted.txt", "a.jsonl: expected a plain text"), ("--compare a.jsonl tasks.jsonl", "tasks.jsonl:1: has"), ("--compare a.jsonl other.jsonl", "other.jsonl, example 2: expected"),
    ("--predictions a.jsonl --confidence 1", "--confidence"), ("--predictions a.jsonl --newlines lf", "--newlines"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "words"), WRONG, ids=[line for line, _ in WRONG])
def test_what_does_not_go_together_is_refused_before_any_work(line, words, ask, monkeypatch):
    monkeypatch.setattr(module, "sit", lambda *given: pytest.fail("a model was asked"))
    assert words in ask(line, 2)


def test_a_new_user_sees_ways_forms_and_metrics(capsys):
    with pytest.raises(SystemExit):
        main(["eval", "--help"])
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 90
    for words in (
        "tgl eval MODEL TEXT",
        "tgl eval --compare A B --tasks FILE",
        '"choices"',
        "what is evaluated:",
        "where a model is asked:",
    ):
        assert words in shown
    assert set(KNOWN) <= set(shown.split()) and "(default ())" not in shown and "--compare A B" in shown
