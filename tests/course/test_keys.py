"""Keys from a terminal, and what happens when the terminal goes."""

from __future__ import annotations

import os
import sys

import pytest

from tinygrad_llm.course.exercises import keys
from tinygrad_llm.course.exercises.session import Session

pytestmark = pytest.mark.skipif(os.name == "nt", reason="terminals of Unix")


class Terminal:
    """A terminal on which this process reads, and the end that a person types at."""

    def __init__(self):
        self.typed, self.read = os.openpty()
        self.file = os.fdopen(self.read, "r")

    def close(self):
        os.close(self.typed)


@pytest.fixture
def terminal(monkeypatch):
    made = Terminal()
    monkeypatch.setattr(sys, "stdin", made.file)
    monkeypatch.setattr(keys, "POLL_S", 0.05)
    yield made
    made.file.close()


def test_a_key_comes_at_once_and_nothing_is_an_empty_key(terminal):
    with keys.keyboard() as key:
        assert key() == ""
        os.write(terminal.typed, b"nh")
        assert [key(), key(), key()] == ["n", "h", ""]


def test_ctrl_d_is_q(terminal):
    with keys.keyboard() as key:
        os.write(terminal.typed, b"\x04")
        assert key() == "q"


def test_a_terminal_that_has_gone_is_q_and_leaving_raises_nothing(terminal):
    with keys.keyboard() as key:
        terminal.close()
        assert key() == "q"


def test_the_end_of_a_file_is_q(monkeypatch):
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        assert keys._unix_key() == "q"


def test_watching_ends_with_its_terminal(terminal, course, softmax, monkeypatch):
    session = Session(course)
    session.desk.start()
    looked = []

    def look(exercise):
        looked.append(exercise)
        terminal.close()

    monkeypatch.setattr(session, "_look", look)
    session.watch(softmax)
    assert looked == [softmax]
