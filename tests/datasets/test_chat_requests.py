"""Claims about the requests: the answers are right by their words alone, and what is held out never stands in training."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tinygrad_llm.datasets.chat import (
    FORMS,
    LAYOUTS,
    TASKS,
    draw_list,
    exercise,
    follows,
    form_of,
    generate_books,
    generate_dialogues,
    generate_papers,
    generate_requests,
    is_held_out,
    make_request,
    read,
    said,
)
from tinygrad_llm.datasets.chat_words import KINDS, NOUNS, OPPOSITE
from tinygrad_llm.datasets.tales import overlap
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.tokenizer import CHATML

SOURCES = (Path(__file__).resolve().parents[2] / "data" / "SOURCES.md").read_text(encoding="utf-8")
TRAIN, TEST = (
    generate_requests(np.random.default_rng(seed), 1200, split) for seed, split in ((0, "train"), (1, "test"))
)
ALL = (*TRAIN, *TEST)
ASKED = re.compile(r"(?:(twice|loudly|kindly|fully) )?say ([a-z ]+) of : ([a-z ]+) \.")


def parts(text):
    """What a request asks for, by its text alone: the word of its form or None, what to say, and the words."""
    how, what, contents = ASKED.fullmatch(text).groups()
    return how, what, tuple(contents.split(" "))


def solved(text):
    """The words of the answer, by the text alone."""
    _, what, given = parts(text)
    if what == "the opposite":
        return (OPPOSITE[given[0]],)
    if what == "the kind":
        return tuple(kind for kind, words in KINDS.items() if given[0] in words)
    if what.removeprefix("the ") in KINDS:
        return tuple(word for word in given if word in KINDS[what.removeprefix("the ")])
    places = {"the first": (0,), "the second": (1,), "the last": (2,), "all": (0, 1, 2), "the reverse": (2, 1, 0)}
    return tuple(given[place] for place in {**places, "both ends": (0, 2)}[what])


def test_the_answer_is_what_the_words_of_the_request_ask_for():
    for request in ALL:
        assert solved(request.text) == request.words, request.text
        if request.task == "choose":
            assert len(request.words) == 1


def test_every_request_asks_for_its_form_in_a_word_and_its_answer_has_it():
    for request in ALL:
        assert (parts(request.text)[0] or "plain") == request.form == form_of(request.answer)
        assert follows(request, request.answer)


def test_the_forms_are_these():
    assert {form: said(form, ("cat", "cup")) for form in FORMS} == {
        "plain": "cat cup .",
        "twice": "cat cup . cat cup .",
        "loudly": "cat cup !",
        "kindly": "gladly : cat cup .",
        "fully": "the answer is cat cup .",
    }


def test_a_form_is_read_only_where_it_is_said():
    for form in FORMS:
        for answer in (("cat",), ("cat", "cup"), ("cat", "cup", "cat")):
            text = said(form, answer)
            assert read(form, text) == answer and form_of(text) == form
            assert all(read(other, text) is None for other in FORMS if other not in (form, "plain"))
    for text in (
        "",
        ".",
        " .",
        "cat",
        "cat .cat .",
        "cat . cup .",
        "cat  cup .",
        "cat.",
        "gladly : .",
        " cat .",
        "cat . ",
    ):
        assert form_of(text) is None, text


def test_what_is_wrong_in_one_word_or_in_its_form_does_not_follow():
    for request in ALL[::7]:
        for form in FORMS:
            assert follows(request, said(form, request.words)) == (form == request.form)
        assert not follows(request, said(request.form, ("tale", *request.words[1:])))
        assert not follows(request, said(request.form, (*request.words, "cat"))) and not follows(request, "")


def test_pairs_of_contents_that_are_held_out_stand_in_test_requests_alone():
    seen, kept = (
        {(given[0], given[-1]) for r in split if len(given := parts(r.text)[2]) > 1} for split in (TRAIN, TEST)
    )
    assert seen and kept and not seen & kept
    assert all(is_held_out(*pair) for pair in kept) and not any(is_held_out(*pair) for pair in seen)
    every = [(a, b) for a in NOUNS for b in NOUNS if a != b]
    assert sum(is_held_out(*pair) for pair in every) == len(every) / 10
    texts = [*generate_books(np.random.default_rng(7), 200), *generate_papers(np.random.default_rng(8), 200)]
    for text in texts:
        for found in ASKED.finditer(text):
            given = found[3].split(" ")
            assert len(given) == 1 or not is_held_out(given[0], given[-1])


def test_a_list_has_three_different_words():
    for held_out in (False, True):
        drawn = draw_list(np.random.default_rng(3), held_out)
        assert len(set(drawn)) == 3 and is_held_out(drawn[0], drawn[-1]) == held_out


def test_all_tasks_and_forms_are_drawn_alike_often():
    for name, known in (("task", TASKS), ("form", FORMS)):
        counts = Counter(getattr(r, name) for r in TRAIN)
        assert set(counts) == set(known) and max(counts.values()) < 1.4 * 1200 / len(known)


def test_tasks_and_forms_that_are_left_out_are_not_drawn():
    rng = np.random.default_rng(4)
    some = generate_requests(rng, 200, tasks=["first", "kind"], forms=["twice", "loudly"])
    assert {r.task for r in some} == {"first", "kind"} and {r.form for r in some} == {"twice", "loudly"}
    texts = [m["content"] for d in generate_dialogues(rng, 200, tasks=["last"], forms=["fully"]) for m in d]
    assert all(text.startswith(("fully say the last of : ", "the answer is ")) for text in texts)


def test_a_dialogue_is_requests_with_their_answers():
    dialogues = generate_dialogues(np.random.default_rng(3), 60, most=3)
    assert {len(d) for d in dialogues} == {2, 4, 6}
    for dialogue in dialogues:
        assert [m["role"] for m in dialogue] == ["user", "assistant"] * (len(dialogue) // 2)
        CHATML.text(dialogue)
        for asked, answered in zip(dialogue[::2], dialogue[1::2]):
            form = parts(asked["content"])[0] or "plain"
            assert read(form, answered["content"]) == solved(asked["content"])


def test_a_page_of_a_book_is_exercises_in_one_layout_with_their_solutions():
    alike, layouts = [], Counter()
    for page in generate_books(np.random.default_rng(4), 300, lines=5, shared=0.5):
        before, between = next(layout for layout in LAYOUTS if page.startswith(f"{layout[0]} "))
        layouts[before] += 1
        begun, *found = page.split(f"{before} ")
        assert begun == "" and len(found) == 5
        lists = set()
        for text, _, answer in (one.strip().partition(f" {between} ") for one in found):
            assert answer == said(parts(text)[0] or "plain", solved(text))
            what, given = parts(text)[1:]
            if len(given) == 3 and what.removeprefix("the ") not in KINDS:
                lists.add(given)
        alike.append(len(lists) <= 1)
    assert 0.4 < np.mean(alike) < 0.65 and set(layouts) == {"Exercise :", "Question :", "Task"}
    assert min(layouts.values()) > 70


def test_a_paper_is_requests_and_nothing_else():
    for page in generate_papers(np.random.default_rng(5), 30, lines=3):
        found = list(ASKED.finditer(page))
        assert len(found) == 3 and " ".join(one[0] for one in found) == page


def test_an_exercise_ends_where_its_answer_comes():
    request = make_request("last", "twice", ("cup", "red", "cat"))
    assert exercise(request) == "Exercise : twice say the last of : cup red cat . Solution :"
    assert exercise(request, request.answer) == f"{exercise(request)} cat . cat ."
    assert exercise(request, layout=1) == "Question : twice say the last of : cup red cat . The answer :"
    assert exercise(request, "cat .", layout=2) == "Task twice say the last of : cup red cat . Result : cat ."


def test_how_much_of_the_test_requests_stands_in_training_is_what_sources_says():
    train, test = (
        "\n".join(f"{r.text} {r.answer}" for r in generate_requests(np.random.default_rng(seed), count, split))
        for seed, count, split in ((0, 4000, "train"), (1, 500, "test"))
    )
    shares = [f"{100 * overlap(train, test, n):.1f} %" for n in range(2, 7)]
    assert f"| {' | '.join(shares)} |" in SOURCES, shares


def test_a_seed_gives_the_same_requests_and_another_one_others():
    again, other = (generate_requests(np.random.default_rng(seed), 20) for seed in (0, 9))
    assert again == TRAIN[:20] and other != again


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "val"}, "split: expected train or test, got 'val'"),
        ({"tasks": []}, "tasks: expected some of first"),
        ({"tasks": ["dance"]}, "tasks: expected some of first"),
        ({"forms": ["sung"]}, "forms: expected some of plain"),
        ({"count": 0}, "count"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options, message):
    with pytest.raises(ArgumentError, match=message):
        generate_requests(np.random.default_rng(0), **{"count": 3, **options})


def test_pages_and_dialogues_need_lines():
    rng = np.random.default_rng(0)
    for make in (generate_books, generate_papers):
        with pytest.raises(ArgumentError, match="lines"):
            make(rng, 1, lines=0)
    with pytest.raises(ArgumentError, match="most"):
        generate_dialogues(rng, 1, most=0)
