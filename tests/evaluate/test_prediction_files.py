"""Files of predictions: each form is read, each bad line is told with its number, and what is written is read again."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import DataError, StorageError
from tinygrad_llm.evaluate import Prediction, read_predictions, write_predictions
from tinygrad_llm.evaluate.predictions import check_same_examples, read_lines


def file(tmp_path, *lines, name="p.jsonl"):
    path = tmp_path / name
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), encoding="utf-8")
    return path


def test_every_form_is_read(tmp_path):
    path = file(
        tmp_path,
        {"prediction": "a", "reference": "b"},
        "",
        {"prediction": "", "references": ["c", ""], "id": 7, "prompt": "q", "confidence": 1},
        {"prediction": "ü", "reference": ["d"], "confidence": 0.25},
    )
    assert read_predictions(path) == [
        Prediction("a", ("b",)), Prediction("", ("c", ""), 1, "q"), Prediction("ü", ("d",), 0.25),
    ]  # fmt: skip


BAD = [
    ({"prediction": "a"}, 'has "prediction"'), ({"output": "a", "target": "b"}, 'has "output" and "target"'), ("not json", "no JSON"),
    ("[1]", "a JSON object"), ({"prediction": 1, "reference": "a"}, '"prediction" must be a text, not 1'),
    ({"prediction": "a", "reference": []}, '"reference" must be a text, or a list of at least one'),
    ({"prediction": "a", "references": ["b", 2]}, '"references"'), ({"prediction": "a", "reference": None}, '"reference"'),
    ({"prediction": "a", "reference": "b", "confidence": 2}, '"confidence" must be a number from 0 to 1, not 2'),
    ({"prediction": "a", "reference": "b", "confidence": True}, '"confidence"'), ({"prediction": "a", "reference": "b", "prompt": 3}, '"prompt"'),
]  # fmt: skip


@pytest.mark.parametrize(("line", "words"), BAD, ids=lambda value: str(value)[:40])
def test_a_bad_line_is_told_with_its_file_and_number(line, words, tmp_path):
    path = file(tmp_path, {"prediction": "a", "reference": "b"}, "", line)
    with pytest.raises(DataError) as found:
        read_predictions(path)
    told = str(found.value).splitlines()
    assert f"{path}:3: " in told[1] and words in told[1] and "one line that has not" in told[0]


def test_of_many_bad_lines_ten_are_told(tmp_path):
    with pytest.raises(DataError) as found:
        read_predictions(file(tmp_path, *[{"prediction": "a"}] * 12))
    told = str(found.value).splitlines()
    assert "12 lines that have not" in told[0] and len(told) == 12 and "2 more" in told[-1]


def test_a_file_that_is_missing_or_empty_is_refused(tmp_path):
    for path in (tmp_path / "none", file(tmp_path, "")):
        with pytest.raises(DataError, match=path.name):
            read_predictions(path)


def test_two_texts_are_read_line_by_line(tmp_path):
    (tmp_path / "a").write_bytes("one two\r\n\r\nü x\r\n".encode())
    (tmp_path / "b").write_bytes("eins\n\nü\u2028x".encode())
    found = read_lines(tmp_path / "a", tmp_path / "b")
    assert found == [Prediction("one two", ("eins",)), Prediction("", ("",)), Prediction("ü x", ("ü\u2028x",))]
    (tmp_path / "b").write_text("one\n")
    with pytest.raises(DataError, match=r"b: expected 3 lines, one a prediction, got 1\. .*a has 3"):
        read_lines(tmp_path / "a", tmp_path / "b")
    with pytest.raises(DataError, match=r"a: expected 1 lines, one a prediction, got 3\."):
        read_lines(tmp_path / "b", tmp_path / "a")


def test_json_is_not_measured_as_if_it_were_text(tmp_path):
    (tmp_path / "a").write_text("said")
    path = file(tmp_path, {"prediction": "a", "reference": "b"})
    for said, wanted in ((path, tmp_path / "a"), (tmp_path / "a", path)):
        with pytest.raises(DataError, match=r"p\.jsonl: expected a plain text, .*leave out the second file"):
            read_lines(said, wanted)
    (tmp_path / "a").write_text("{}\n3")
    assert len(read_lines(tmp_path / "a", tmp_path / "a")) == 2


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SURE = st.none() | st.floats(0, 1)


@given(
    st.lists(
        st.builds(Prediction, TEXTS, st.lists(TEXTS, min_size=1, max_size=3).map(tuple), SURE, TEXTS),
        min_size=1,
        max_size=4,
    )
)
def test_what_is_written_is_read_again(tmp_path_factory, predictions):
    path = tmp_path_factory.mktemp("written") / "p.jsonl"
    assert read_predictions(write_predictions(path, predictions)) == predictions


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(StorageError, match="none"):
        write_predictions(tmp_path / "none" / "p.jsonl", [])


def test_two_models_must_have_the_same_examples():
    one = [Prediction("a", ("r",), prompt="q"), Prediction("b", ("s",))]
    check_same_examples(one, [Prediction("x", ("r",)), Prediction("y", ("s",), prompt="p")], ("A", "B"))
    for other, words in (
        (one[:1], "B: expected 2 predictions, as A has, got 1"), ([one[0], Prediction("b", ("t",))], "B, example 2"),
        ([Prediction("a", ("r",), prompt="other"), one[1]], "B, example 1"),
    ):  # fmt: skip
        with pytest.raises(DataError, match=words):
            check_same_examples(one, other, ("A", "B"))
