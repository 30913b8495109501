"""Claims about the clinic: leaflets say what they know, a question's kind and answer are true, splits are honest."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tinygrad_llm.datasets.clinic import (
    KINDS,
    LINES,
    OTHER_DOSE,
    REFUSAL,
    VALUES,
    Leaflet,
    Question,
    exercise,
    generate_books,
    generate_clinic,
    generate_papers,
    guess,
    is_held_out,
    line_of,
    outcome,
)
from tinygrad_llm.datasets.clinic_words import DRUGS, FIELDS
from tinygrad_llm.datasets.tales import overlap
from tinygrad_llm.errors import ArgumentError, ConfigError

SOURCES = (Path(__file__).parents[2] / "data" / "SOURCES.md").read_text(encoding="utf-8")
TRAIN, TEST = (generate_clinic(np.random.default_rng(0), 900, split) for split in ("train", "test"))
QUOSK = Leaflet("quosk", {"adults": "cupful", "time": "dusk", "use": "moonitch", "never": "hulpa"})
READ = {field: re.compile(re.escape(FIELDS[field].line).replace(r"\{v\}", "(.+)")) for field in FIELDS}


def told(text):
    """Drug, and field -> value, read by the words alone."""
    title, lines = text.split(" : ")
    found = {}
    for line in re.findall(r"[^.]+\.", lines):
        ((field, match),) = [(f, m) for f, pattern in READ.items() if (m := pattern.fullmatch(line.strip()))]
        found[field] = match[1]
    return title.removeprefix("leaflet of "), found


def test_a_leaflet_by_hand():
    assert QUOSK.text == (
        "leaflet of quosk : give adults one cupful . taken at dusk . against moonitch . never with hulpa ."
    )


def test_a_leaflet_says_what_it_knows():
    for question in (*TRAIN, *TEST):
        drug, facts = told(question.leaflet.text)
        assert (drug, facts) == (question.leaflet.drug, dict(question.leaflet.facts)) and len(
            set(facts.values())
        ) == LINES
        assert all(value in FIELDS[field].values and value != drug for field, value in facts.items())


@pytest.mark.parametrize(
    ("drug", "field", "kind", "answer"),
    [
        ("quosk", "adults", "answered", "give adults one cupful ."),
        ("quosk", "never", "answered", "never with hulpa ."),
        ("quosk", "children", "other dose", REFUSAL),
        ("quosk", "effect", "silent", REFUSAL),
        ("hulpa", "adults", "other drug", REFUSAL),
        ("hulpa", "children", "other drug", REFUSAL),
    ],
)
def test_kind_and_answer_by_hand(drug, field, kind, answer):
    question = Question(QUOSK, drug, field, 1)
    assert (question.kind, question.answer) == (kind, answer) and drug in question.text


def test_a_dose_for_one_is_none_for_the_other():
    leaflet = Leaflet("quosk", {"children": "dab", "time": "dusk"})
    assert Question(leaflet, "quosk", "adults").kind == "other dose" and OTHER_DOSE["adults"] == "children"


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("give adults one cupful .", "right"),
        (REFUSAL, "refused"),
        ("taken at dusk .", "misread"),
        ("give adults one jugful .", "invented"),
        ("give children one dab .", "invented"),
        ("taken at dawn .", "invented"),
        ("give adults one cupful", "no answer"),
        ("give adults cupful .", "no answer"),
        ("cupful .", "no answer"),
        ("taken at moonitch .", "no answer"),
        ("", "no answer"),
    ],
)
def test_what_an_answer_is(said, found):
    assert outcome(Question(QUOSK, "quosk", "adults"), said) == found


def test_the_dose_of_adults_is_misread_and_under_another_name_invented_and_a_refusal_is_never_right():
    child = Question(QUOSK, "quosk", "children")
    assert outcome(child, "give adults one cupful .") == "misread"
    assert outcome(child, "give children one dab .") == "invented" and outcome(child, REFUSAL) == "refused"


def test_a_guess_is_a_value_of_the_kind_and_never_right():
    rng = np.random.default_rng(1)
    for question in (*TRAIN, *TEST):
        said = guess(question, rng)
        assert said != question.answer and outcome(question, said) == (
            "misread" if said in question.leaflet.lines else "invented"
        )
        facts = question.leaflet.facts
        if question.kind == "other dose":
            assert said == line_of(OTHER_DOSE[question.field], facts[OTHER_DOSE[question.field]])
        elif question.kind == "other drug" and question.field in facts:
            assert said == line_of(question.field, facts[question.field])
        elif question.field not in OTHER_DOSE:
            assert said in [line_of(question.field, v) for v in FIELDS[question.field].values]


def test_no_line_of_a_test_leaflet_stands_in_a_training_leaflet_of_the_drug():
    def pairs(questions):
        return {(q.leaflet.drug, v) for q in questions for v in q.leaflet.facts.values()}

    assert not pairs(TRAIN) & pairs(TEST)
    assert all(is_held_out(*pair) for pair in pairs(TEST)) and not any(is_held_out(*pair) for pair in pairs(TRAIN))
    books = generate_books(np.random.default_rng(2), 300)
    assert not any(
        is_held_out(drug, v) for drug, facts in (told(b.split(" Exercise")[0]) for b in books) for v in facts.values()
    )


def test_every_drug_says_every_value_in_one_of_the_splits():
    for drug in DRUGS:
        for field in FIELDS.values():
            held = [is_held_out(drug, v) for v in field.values if v != drug]
            assert any(held) and not all(held)


def test_every_kind_drug_field_and_wording_is_drawn():
    for questions in (TRAIN, TEST):
        kinds = Counter(q.kind for q in questions)
        assert set(kinds) == set(KINDS) and abs(kinds["answered"] / len(questions) - 0.6) < 0.06
        assert min(kinds[kind] for kind in KINDS[1:]) > 0.7 * 0.4 * len(questions) / 3
        for of, expected in ((lambda q: q.drug, DRUGS), (lambda q: q.field, FIELDS), (lambda q: q.wording, (0, 1))):
            assert {of(q) for q in questions} == set(expected)


def test_a_share_that_is_not_answered_is_the_callers():
    rng = np.random.default_rng(0)
    assert {q.kind for q in generate_clinic(rng, 50, unanswered=0)} == {"answered"}
    assert {q.kind for q in generate_clinic(rng, 50, unanswered=1)} == set(KINDS[1:])


def test_no_word_of_a_line_stands_in_its_questions():
    for field in FIELDS.values():
        line = set(field.line.replace("{v}", "").replace(".", "").split())
        assert not any(line & set(question.split()) for question in field.questions)


def test_no_value_is_that_of_two_fields():
    assert len(VALUES) == sum(len(field.values) for field in FIELDS.values())


def test_a_book_solves_what_its_leaflet_answers():
    for page in generate_books(np.random.default_rng(3), 50):
        leaflet, *asked = page.split(" Exercise : ")
        _, facts = told(leaflet)
        answers = [one.split(" Solution : ")[1] for one in asked]
        assert len(set(asked)) == 3 and set(answers) <= {line_of(*fact) for fact in facts.items()}
    question = Question(QUOSK, "quosk", "adults")
    assert exercise(question) == "Exercise : how much quosk for a man ? Solution :"


def test_a_paper_has_no_answers():
    for page in generate_papers(np.random.default_rng(3), 20):
        assert page.count("?") == 4 and "Solution" not in page and page.endswith("?")


def test_how_much_of_the_test_stands_in_training_is_what_sources_says():
    train, test = (
        "\n".join(
            f"{q.leaflet.text} {q.text} {q.answer}" for q in generate_clinic(np.random.default_rng(seed), n, split)
        )
        for seed, n, split in ((0, 4000, "train"), (1, 500, "test"))
    )
    shares = [f"{100 * overlap(train, test, n):.1f} %" for n in range(2, 7)]
    assert f"| {' | '.join(shares)} |" in SOURCES, shares


def test_a_seed_gives_the_same_questions_and_another_one_others():
    again, other = (generate_clinic(np.random.default_rng(seed), 20) for seed in (0, 9))
    assert again == TRAIN[:20] and other != again


def test_what_cannot_be_drawn_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ArgumentError, match="split: expected train or test, got 'val'"):
        generate_clinic(rng, 1, "val")
    with pytest.raises(ConfigError, match="unanswered"):
        generate_clinic(rng, 1, unanswered=1.5)
    with pytest.raises(ArgumentError, match="exercises: expected at most 4"):
        generate_books(rng, 1, exercises=5)
    with pytest.raises(ArgumentError, match="questions"):
        generate_papers(rng, 1, questions=0)
