"""A reason is given where a known mistake computes what the learner's file computes, and nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tinygrad_llm.course.exercises.catalog import Course
from tinygrad_llm.course.exercises.reasons import MEANS, sentence
from tinygrad_llm.course.exercises.report import report
from tinygrad_llm.course.exercises.runner import run

ROOT = Path(__file__).resolve().parents[2]
COURSE = Course.load(ROOT)
ANSWERS = {
    # written otherwise than the known wrong answer, and the same mistake
    ("09.1", "one maximum, by a loop"): (
        "import numpy as np\ndef softmax(x, axis=-1):\n    most = max(x.ravel().tolist())\n    e = np.exp(x - most)\n"
        "    y = e / e.sum(axis, keepdims=True)\n    return y, lambda g, needs: y * (g - (g * y).sum(axis, keepdims=True))\n",
        "meaning The maximum of the whole array was taken off: each row needs its own.",
    ),
    ("09.1", "the diagonal, as y - y²"): (
        "import numpy as np\ndef softmax(x, axis=-1):\n    e = np.exp(x - x.max(axis, keepdims=True))\n"
        "    y = e / e.sum(axis, keepdims=True)\n    return y, lambda g, needs: g * y - g * y * y\n",
        "meaning Only the diagonal of the slope was used",
    ),
    ("03.1", "nine tenths"): (
        "def momentum_step(w, g, u, lr, momentum=0.9):\n    u = u - u / 10 + g\n    return w - lr * u, u\n",
        "meaning The memory shrinks to 0.9 of itself whatever `momentum` is: the argument is ignored.",
    ),
    ("03.2", "corrected in place"): (
        "def adamw_step(w, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8, decay=0.01):\n"
        "    m, v = (b1 * m + (1 - b1) * g) / (1 - b1**t), (b2 * v + (1 - b2) * g**2) / (1 - b2**t)\n"
        "    return w - lr * (m / (v**0.5 + eps) + decay * w), m, v\n",
        "meaning The corrected averages were returned",
    ),
    ("12.1", "divided by all"): (
        "import numpy as np\ndef chosen_loss(logits, tokens, chosen):\n    e = np.exp(logits - logits.max(-1, keepdims=True))\n"
        "    p = (e / e.sum(-1, keepdims=True))[:, :-1]\n    right = np.take_along_axis(p, tokens[:, 1:, None], 2)[..., 0]\n"
        "    return float(-(np.log(right) * chosen[:, 1:]).sum() / chosen[:, 1:].size)\n",
        "meaning The sum over the chosen words was divided by the number of all words.",
    ),
    ("12.2", "no table of places"): (
        "def n_parameters(vocab_size, block_size, n_layer, n_embd, bias=True):\n    D = n_embd\n"
        "    return vocab_size * D + n_layer * (12 * D * D + bias * 9 * D + 2 * (1 + bias) * D) + (1 + bias) * D\n",
        "you called n_parameters(5, 3, 0, 2) you got 14 expected 20 differs 14 instead of 20. meaning The T · D numbers",
    ),
    ("05.2", "the chapter's own function"): (
        "def merge_pair(word, pair, new):\n    out = []\n    for token in word:\n        if out and (out[-1], token) == pair:\n"
        "            out[-1] = new\n        else:\n            out.append(token)\n    return tuple(out)\n",
        "meaning The new id was taken as the first half of another pair.",
    ),
    ("11.2", "1 / (1 + exp(-x))"): (
        "import numpy as np\ndef swiglu(gate, up):\n    s = 1 / (1 + np.exp(-gate))\n"
        "    return gate * s * up, lambda g, needs: (g * up * (s + gate * s * (1 - s)), g * gate * s)\n",
        "it raised FloatingPointError: overflow encountered in exp",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("id", "way"), ANSWERS)
def test_a_mistake_is_named_however_it_is_written(id, way, tmp_path):
    text, words = ANSWERS[id, way]
    file = tmp_path / "answer.py"
    file.write_text(text)
    outcome = run(COURSE, COURSE.get(id), file)
    said = " ".join(report(COURSE, outcome).split())
    assert not outcome.green and words in said, said


RIGHT = {
    ("03.3", "the literal solution of its stub"): (
        "import math\ndef clip(gradients, max_norm):\n    norm = math.sqrt(sum(float((g * g).sum()) for g in gradients))\n"
        "    if norm > max_norm:\n        gradients = [g * (max_norm / (norm + 1e-6)) for g in gradients]\n"
        "    return gradients, norm\n"
    ),
    ("05.2", "a tuple"): (
        "def merge_pair(word, pair, new):\n    out, i = (), 0\n    while i < len(word):\n"
        "        both = tuple(word[i : i + 2]) == pair\n        out, i = (*out, new if both else word[i]), i + 1 + both\n"
        "    return out\n"
    ),
    ("03.4", "final at the end, whatever the warm-up"): (
        "import math\ndef rate(step, lr, total, warmup=0, final=0.0):\n    if step < warmup:\n        return lr * step / warmup\n"
        "    if step >= total:\n        return final\n    share = (step - warmup) / (total - warmup)\n"
        "    return final + (lr - final) * (1 + math.cos(math.pi * share)) / 2\n"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("id", "way"), RIGHT)
def test_what_the_stub_allows_is_green(id, way, tmp_path):
    file = tmp_path / "answer.py"
    file.write_text(RIGHT[id, way])
    outcome = run(COURSE, COURSE.get(id), file)
    assert outcome.green, report(COURSE, outcome)


@pytest.mark.parametrize(
    "body",
    [
        "y = np.exp(x)[..., ::-1]\n    y = y / y.sum(axis, keepdims=True)",  # no one was ever seen to do this
        "y = np.ones(x.shape)",
        "y = np.exp(x - x.max(axis, keepdims=True))\n    y = y / (y.sum(axis, keepdims=True) + 0.01)",
    ],
)
def test_where_no_known_mistake_fits_nothing_is_guessed(body, course, softmax):
    own = course.own(softmax)
    own.parent.mkdir(parents=True)
    own.write_text(f"import numpy as np\n\n\ndef softmax(x, axis=-1):\n    {body}\n    return y, lambda g, needs: g\n")
    outcome = run(course, softmax)
    said = report(course, outcome)
    assert not outcome.green and outcome.reason == "" and "meaning" not in said and "differs" in said


def test_a_mistake_that_would_turn_a_green_check_red_is_not_the_one(tmp_path):
    """Its first red answer is that of a file that divides by the sum of the whole array; elsewhere it does not."""
    text = (
        "import numpy as np\ndef softmax(x, axis=-1):\n    e = np.exp(x - x.max(axis, keepdims=True))\n"
        "    y = e / (e.sum() if x.max() > 999 else e.sum(axis, keepdims=True))\n"
        "    return y, lambda g, needs: y * (g - (g * y).sum(axis, keepdims=True))\n"
    )
    file = tmp_path / "answer.py"
    for condition, named in (("x.max() > 999", False), ("True", True)):
        file.write_text(text.replace("x.max() > 999", condition))
        said = " ".join(report(COURSE, run(COURSE, COURSE.get("09.1"), file)).split())
        assert "each row has a maximum of its own" in said
        assert ("It was divided by the sum of the whole array" in said) == named, said


def test_two_mistakes_that_one_check_cannot_tell_apart_are_told_by_the_others(course, softmax):
    mutants = course.home / "mutants" / "09.1"
    for path in mutants.glob("*.py"):
        path.unlink()
    wrong = "import numpy as np\n\n\ndef softmax(x, axis=-1):\n    y = np.exp(x - {most})\n    y = y / y.sum(axis, keepdims=True) * 2\n"
    wrong += "    return y, lambda g, needs: g\n"
    for name, most in (("one", "x.max(axis, keepdims=True)"), ("two", "x.max()")):
        (mutants / f"{name}.py").write_text(f"# expect: you got\n{MEANS} It is {name}.\n" + wrong.format(most=most))
    own = course.own(softmax)
    own.parent.mkdir(parents=True)
    own.write_text(wrong.format(most="max(x.ravel().tolist())"))
    assert run(course, softmax).reason == "It is two."
    own.write_text(wrong.format(most="x.max(axis, keepdims=True)"))
    assert run(course, softmax).reason == "It is one."


def test_a_known_mistake_that_never_ends_costs_the_reason_and_not_the_report(course, softmax):
    mutants = course.home / "mutants" / "09.1"
    for path in mutants.glob("*.py"):
        path.unlink()
    (mutants / "a.py").write_text(
        f"# expect: x\n{MEANS} It never ends.\ndef softmax(x, axis=-1):\n    while True:\n        pass\n"
    )
    own = course.own(softmax)
    own.parent.mkdir(parents=True)
    own.write_text("def softmax(x, axis=-1):\n    return x, lambda g, needs: g\n")
    outcome = run(course, softmax, limit=1)
    said = report(course, outcome)
    assert not outcome.green and outcome.stopped is None and outcome.reason == "" and "you got" in said


def test_known_mistakes_have_sentences_and_no_check_calls_a_function_without_a_name():
    silent, lambdas = [], []
    for exercise in COURSE.exercises:
        for path in COURSE.mutants(exercise):
            text = path.read_text(encoding="utf-8")
            said = sentence(text)
            if not said and "changed argument" not in text:
                silent.append(path.name)
            assert not said or (said[-1] == "." and "?" not in said), path
        if re.search(r"call\(lambda", COURSE.test(exercise).read_text(encoding="utf-8")):
            lambdas.append(exercise.id)
    assert lambdas == []
    assert silent == []
