"""Which exercises have been proved: chapters/exercises/proved.toml has a line each, with a hash of what the proof
rests on.

That is the entry in course.toml, the solution, the checks, the wrong answers written by hand, the target's module, and
the modules that make the proof. While none of them changes, the wrong answers need not be run again. What must be green
is cheap and rests on the whole package: it is run each time (prove.py).
"""

from __future__ import annotations

import dataclasses
import hashlib
import tomllib
from collections.abc import Iterable
from pathlib import Path

from tinygrad_llm.course.exercises.catalog import Course, Exercise
from tinygrad_llm.errors import ConfigError

PACKAGE = Path(__file__).resolve().parents[2]
MACHINERY = (
    "calls", "catalog", "child", "difference", "loading", "operators", "prove", "reasons", "report", "runner", "seal",
    "show", "stubs",
)  # fmt: skip
"""The modules of this folder that decide what a proof finds."""
HEAD = (
    "# Exercises whose wrong answers are all found, and a hash of what that rests on: written by `tgl dev prove`.\n\n"
)


def fingerprint(course: Course, exercise: Exercise) -> str:
    """A hash of everything that the exercise's proof rests on: 16 hexadecimal digits of a SHA-256."""
    found = hashlib.sha256(repr(dataclasses.astuple(exercise)).encode())
    for path in (*_own_files(course, exercise), *_machinery()):
        text = path.read_text(encoding="utf-8") if path.exists() else ""  # line ends are those of the platform
        found.update(f"{path.name}\0{len(text)}\0{text}".encode())
    return found.hexdigest()[:16]


def load_proofs(course: Course) -> dict[str, str]:
    """The fingerprints under which exercises have been proved.  Raises ConfigError for a file that is not TOML."""
    path = _path(course)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(path), "TOML", str(error), "Remove it: `make prove ALL=1` writes it anew.") from error


def save_proofs(course: Course, proofs: dict[str, str]) -> None:
    """Writes those of exercises that there are, in the course's order."""
    lines = [f'"{e.id}" = "{proofs[e.id]}"\n' for e in course.exercises if e.id in proofs]
    _path(course).write_text(HEAD + "".join(lines), encoding="utf-8", newline="\n")


def unproved(course: Course) -> list[Exercise]:
    """The exercises that are not proved as they are now."""
    proofs = load_proofs(course)
    return [e for e in course.exercises if proofs.get(e.id) != fingerprint(course, e)]


def sample(exercises: Iterable[Exercise], count: int, seed: str) -> list[Exercise]:
    """`count` of the exercises, the same for the same seed, each as likely as any other."""
    by_hash = sorted(exercises, key=lambda e: hashlib.sha256(f"{seed} {e.id}".encode()).digest())
    return by_hash[:count]


def _path(course: Course) -> Path:
    return course.home / "proved.toml"


def _own_files(course: Course, exercise: Exercise) -> list[Path]:
    files = [course.solution(exercise), course.test(exercise), *course.mutants(exercise)]
    if exercise.target:
        parts = exercise.target.split(".")[1:-1]
        module = PACKAGE.joinpath(*parts)
        files.append(module / "__init__.py" if module.is_dir() else module.with_suffix(".py"))
    return files


def _machinery() -> list[Path]:
    return [PACKAGE / "course" / "exercises" / f"{name}.py" for name in MACHINERY]
