"""Claims about the requests: the answers are right by their words alone, and what is held out never stands in training."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tinygrad_llm.datasets.chat import (
    FORMS,
    NEW_TASKS,
    TASKS,
    UNSEEN_FORM,
    follows,
    form_of,
    generate_copybook,
    generate_dialogues,
    generate_pages,
    generate_requests,
    is_held_out,
    is_right,
    read,
    said,
)
from tinygrad_llm.datasets.chat_words import CHILDREN, KINDS, NOUNS, NUMBERS, OPPOSITE
from tinygrad_llm.datasets.tales import overlap
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.tokenizer import CHATML

SOURCES = (Path(__file__).resolve().parents[2] / "data" / "SOURCES.md").read_text(encoding="utf-8")
EVERY = (*TASKS, *NEW_TASKS)
TRAIN, TEST = (
    generate_requests(np.random.default_rng(seed), 1200, split, tasks=EVERY)
    for seed, split in ((0, "train"), (1, "test"))
)
UNSEEN = generate_requests(np.random.default_rng(2), 600, "test", unseen=True)
ALL = (*TRAIN, *TEST, *UNSEEN)


def solved(text):
    """The words of the answer, by the text alone; for "Name two animals." the number and the kind."""
    text = text.removesuffix(next((ask for ask in FORMS.values() if ask and text.endswith(ask)), "")).strip()
    listed = re.findall("[a-z]+", text.partition(" : ")[2])
    if named := re.fullmatch(r"(?:Name|List) (two|three|four) (\w+)s \.", text):
        return named[1], named[2]
    if " has a " in text:
        has = dict(re.findall(r"([A-Z][a-z]+) has a (\w+) \.", text))
        of = {thing: child for child, thing in has.items()}
        asked = [word for word in re.findall(r"\w+", text.rpartition(". ")[2] or text) if word in has or word in of]
        return ({**has, **of}[asked[-1]],)
    if opposite := re.fullmatch(r"What is the opposite of (\w+) \?|Turn (\w+) into its opposite \.", text):
        return (OPPOSITE[opposite[1] or opposite[2]],)
    if kind := re.fullmatch(r"What kind of word is (\w+) \?|Say what (\w+) is \.", text):
        return (next(k for k, words in KINDS.items() if (kind[1] or kind[2]) in words),)
    first = text.split()[0:3]
    if text.startswith(("Say all but", "Leave out")):
        left = text.partition(" :")[0].split()[-1]
        return tuple(word for word in listed if word != left)
    if text.startswith(("Find the", "Which is a kind of")):
        return tuple(word for word in listed if word in KINDS[text.partition(" :")[0].split()[-1]])
    if "backwards" in text or "around" in text:
        return tuple(listed[::-1])
    if text.startswith(("How many", "Count")):
        return (NUMBERS[len(listed) - 1],)
    for word, place in (("first", 0), ("last", -1), ("middle", len(listed) // 2)):
        if word in text.partition(" :")[0]:
            return (listed[place],)
    assert first[0] in ("Repeat", "Say"), text
    return tuple(listed)


def test_the_answer_is_what_the_words_of_the_request_ask_for():
    for request in ALL:
        found = solved(request.text)
        if request.task == "name":
            number, kind = found
            assert len(set(request.words)) == len(request.words) == NUMBERS.index(number) + 1
            assert set(request.words) <= set(KINDS[kind]) and request.kind == kind
        else:
            assert found == request.words, request.text
            assert request.kind == ""


def test_every_request_asks_for_its_form_in_words_and_its_answer_has_it():
    for request in ALL:
        asked = [form for form, ask in FORMS.items() if ask and request.text.endswith(f" {ask}")]
        assert asked == ([] if request.form == "plain" else [request.form])
        assert form_of(request.answer) == request.form and follows(request, request.answer)


def test_the_forms_are_these():
    answer = ("cat", "cup")
    assert {form: said(form, answer) for form in FORMS} == {
        "plain": "cat cup .",
        "sentence": "The answer is this : cat cup .",
        "twice": "cat cup . cat cup .",
        "loudly": "cat cup !",
        "politely": "Gladly : cat cup .",
    }


def test_a_form_is_read_only_where_it_is_said():
    for form in FORMS:
        for other in FORMS:
            for answer in (("cat",), ("cat", "cup"), ("cat", "cup", "cat")):
                assert read(other, said(form, answer)) == (answer if other == form else None)
    for text in (
        "",
        ".",
        " .",
        "cat",
        "cat .cat .",
        "cat . cup .",
        "cat  cup .",
        "cat.",
        "Gladly : .",
        " cat .",
        "cat . ",
        "cat .\n",
    ):
        assert form_of(text) is None, text


def test_what_is_wrong_in_one_word_or_in_its_form_does_not_follow():
    for request in ALL[::7]:
        for form in FORMS:
            assert follows(request, said(form, request.words)) == (form == request.form)
        wrong = ("small", *request.words[1:]) if request.words != ("small",) else ("big",)
        assert not follows(request, said(request.form, wrong)) and not is_right(request, wrong)
        assert not is_right(request, (*request.words, "cat")) and not is_right(request, request.words[:-1])
        assert not follows(request, request.text) and not follows(request, "")


def test_any_different_words_of_the_kind_are_right_where_some_are_asked_for():
    request = next(r for r in TRAIN if r.task == "name" and len(r.words) == 3)
    a, b, c, d = KINDS[request.kind][:4]
    assert is_right(request, (a, b, c)) and is_right(request, (d, c, a))
    assert not is_right(request, (a, b, b)) and not is_right(request, (a, b)) and not is_right(request, (a, b, c, d))
    other = next(word for word in NOUNS if word not in KINDS[request.kind])
    assert not is_right(request, (a, b, other))


def pairs_of(request):
    """The pair of words in a request that may be held out, by the text alone."""
    text = request.text
    if request.task == "name":
        number, kind = solved(text)
        return [(number, kind)]
    if request.task in ("who", "what"):
        has = dict(re.findall(r"([A-Z][a-z]+) has a (\w+) \.", text))
        (word,) = request.words
        return [(child, thing) for child, thing in has.items() if word in (child, thing)]
    if request.task in ("kind", "opposite"):
        return []
    listed = re.findall("[a-z]+", text.partition(" : ")[2].partition(FORMS[request.form] or "#")[0])
    return [(listed[0], listed[-1])]


def test_pairs_of_contents_that_are_held_out_stand_in_test_requests_alone():
    seen, kept = ({pair for r in part for pair in pairs_of(r)} for part in (TRAIN, (*TEST, *UNSEEN)))
    assert seen and kept and not seen & kept
    assert all(is_held_out(*pair) for pair in kept) and not any(is_held_out(*pair) for pair in seen)
    every = [(a, b) for a in NOUNS for b in NOUNS if a != b]
    assert abs(np.mean([is_held_out(*pair) for pair in every]) - 1 / 8) < 0.02
    for child in CHILDREN:
        assert any(is_held_out(child, thing) for thing in KINDS["thing"])
    assert {kind for _, kind in {pair for r in TEST if r.task == "name" for pair in pairs_of(r)}}


def test_no_training_text_asks_a_task_for_the_form_that_it_lacks():
    assert all(UNSEEN_FORM.get(r.task) != r.form for r in (*TRAIN, *TEST))
    assert all(UNSEEN_FORM[r.task] == r.form for r in UNSEEN) and {r.task for r in UNSEEN} == set(TASKS)
    others = Counter(UNSEEN_FORM.values())
    assert set(others) == set(FORMS) - {"plain"} and len(set(others.values())) == 1
    for form in FORMS:  # and each form is there with other tasks
        assert len({r.task for r in TRAIN if r.form == form}) >= 9


def test_all_tasks_forms_and_wordings_are_drawn_alike_often():
    tasks = Counter(r.task for r in TRAIN)
    assert set(tasks) == set(EVERY) and max(tasks.values()) < 1.5 * 1200 / len(EVERY)
    begun = Counter((r.task, r.text.split(" :")[0].split()[0]) for r in TRAIN if r.task in ("repeat", "first", "count"))
    assert len(begun) == 6 and min(begun.values()) > 0.3 * 1200 / len(EVERY)
    fixed = generate_requests(np.random.default_rng(0), 50, tasks=["repeat"], wording=1)
    assert all(r.text.startswith("Say this :") for r in fixed)


def test_a_dialogue_is_requests_with_their_answers():
    dialogues = generate_dialogues(np.random.default_rng(3), 60, tasks=["first", "count"], most=3)
    assert {len(d) for d in dialogues} == {2, 4, 6}
    for dialogue in dialogues:
        assert [m["role"] for m in dialogue] == ["user", "assistant"] * (len(dialogue) // 2)
        CHATML.text(dialogue)
        for asked, answered in zip(dialogue[::2], dialogue[1::2]):
            found = read(form_of(answered["content"]), answered["content"])
            assert found == solved(asked["content"])


def test_a_page_has_one_task_in_one_wording_and_answers_or_none():
    pages = generate_pages(np.random.default_rng(4), 300, lines=4, answered=0.25)
    have = []
    for page in pages:
        assert page.endswith("\n")
        lines = page.splitlines()
        have.append(len(lines) == 8)
        assert len(lines) in (4, 8)
        asked = lines[::2] if have[-1] else lines
        if " has a " not in page:
            assert len({line.split()[0] for line in asked}) == 1
        for line, answer in zip(asked, lines[1::2] if have[-1] else ()):
            found = solved(line)
            assert read(form_of(answer), answer) == found or "Name" in line or "List" in line
    assert 0.15 < np.mean(have) < 0.35
    texts = {share: generate_pages(np.random.default_rng(5), 20, lines=2, answered=share) for share in (0.0, 1.0)}
    assert {len(p.splitlines()) for p in texts[0.0]} == {2} and {len(p.splitlines()) for p in texts[1.0]} == {4}


def test_how_much_of_the_test_requests_stands_in_training_is_what_sources_says():
    train, test = (
        "\n".join(f"{r.text} {r.answer}" for r in generate_requests(np.random.default_rng(seed), count, split))
        for seed, count, split in ((0, 4000, "train"), (1, 500, "test"))
    )
    shares = [f"{100 * overlap(train, test, n):.1f} %" for n in range(2, 7)]
    assert f"| {' | '.join(shares)} |" in SOURCES, shares


def test_a_seed_gives_the_same_requests_and_another_one_others():
    again, other = (generate_requests(np.random.default_rng(seed), 20, tasks=EVERY) for seed in (0, 9))
    assert again == TRAIN[:20] and other != again


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "val"}, "split: expected train or test, got 'val'"),
        ({"tasks": []}, "tasks: expected some of repeat"),
        ({"tasks": ["dance"]}, "tasks: expected some of repeat"),
        ({"tasks": ["middle"], "unseen": True}, "tasks: expected some of repeat"),
        ({"count": 0}, "count"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options, message):
    with pytest.raises(ArgumentError, match=message):
        generate_requests(np.random.default_rng(0), **{"count": 3, **options})


def test_a_copybook_has_each_list_of_words_so_many_times():
    for page in generate_copybook(np.random.default_rng(6), 30, lines=2, times=3):
        lines = page.splitlines()
        assert page.endswith(" .\n") and len(lines) == 6 and len(set(lines[:3])) == len(set(lines[3:])) == 1
        for line in lines[::3]:
            listed = line.removesuffix(" .").split(" ")
            assert len(set(listed)) == len(listed) and 2 <= len(listed) <= 5 and set(listed) <= set(NOUNS)


def test_pages_and_dialogues_need_lines():
    with pytest.raises(ArgumentError, match="times"):
        generate_copybook(np.random.default_rng(0), 1, times=0)
    with pytest.raises(ArgumentError, match="lines"):
        generate_pages(np.random.default_rng(0), 1, lines=0)
    with pytest.raises(ArgumentError, match="most"):
        generate_dialogues(np.random.default_rng(0), 1, most=0)
