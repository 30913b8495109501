"""A small course in a folder of its own, with the real 09.1 in it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tinygrad_llm.course.exercises.catalog import Course
from tinygrad_llm.course.exercises.prove import sync

ROOT = Path(__file__).resolve().parents[2]
KEPT = ("00.1", "09.1")


@pytest.fixture
def course(tmp_path):
    """A checkout with two exercises, stubs made."""
    real = Course.load(ROOT)
    small = Course(tmp_path, tuple(real.get(id) for id in KEPT))
    for exercise in small.exercises:
        for path in (real.solution(exercise), real.test(exercise), *real.mutants(exercise)):
            target = tmp_path / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    (small.home / "course.toml").write_text(
        "".join(
            f"[[exercise]]\nid = {e.id!r}\ntitle = {e.title!r}\nchapter = {e.chapter!r}\nfile = {e.file!r}\n"
            f"target = {e.target!r}\nminutes = {e.minutes}\nhints = ['why?', 'because', 'so']\n"
            for e in small.exercises
        )
    )
    sync(small)
    return Course.load(tmp_path)


@pytest.fixture
def softmax(course):
    """The exercise that most of these tests are made with."""
    return course.get("09.1")
