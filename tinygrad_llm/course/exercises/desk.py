"""The learner's desk: the folder work/ with their copies, what is done, and backups of what was thrown away.

What is kept in state.json can be lost without harm: `done` is the SHA-256 of the learner's file and its test together,
so it holds exactly as long as both are what they were, and `tgl test --all` finds it again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

from tinygrad_llm.course.exercises.catalog import STATE, WORK, Course, Exercise
from tinygrad_llm.errors import StorageError, reason


class Desk:
    """State is read once and written at each change; a file that cannot be read counts as empty."""

    def __init__(self, course: Course) -> None:
        self.course = course
        self.folder = course.root / WORK / STATE
        self.path = self.folder / "state.json"
        try:
            state = json.loads(self.path.read_text(encoding="utf-8"))
            self.state: dict[str, Any] = {key: dict(state[key]) for key in ("done", "copied", "hints", "peeked")}
            self.state["current"] = str(state["current"])
        except (OSError, ValueError, KeyError, TypeError):
            self.state = {"done": {}, "copied": {}, "hints": {}, "peeked": {}, "current": ""}

    def start(self) -> list[Exercise]:
        """Copies every stub that has no copy yet; returns those that were new. What is there is never replaced."""
        new = [exercise for exercise in self.course.exercises if not self.course.own(exercise).exists()]
        for exercise in new:
            self._copy(exercise)
        self._lay_out()
        self._save()
        return new

    def _lay_out(self) -> list[Path]:
        """Copies of a wheel's chapters, to be read and changed: of those that are not there, or that nobody touched."""
        new = []
        for script in sorted((self.course.material / "chapters").glob("*.py")):
            own, key = self.course.copy_of(script), f"chapters/{script.name}"
            untouched = own.exists() and _sha(own) == self.state["copied"].get(key) != _sha(script)
            if not own.exists() or untouched:
                self._put(script, own, key)
                new.append(own)
        return new

    @property
    def started(self) -> bool:
        """Whether any copy is there."""
        return any(self.course.own(exercise).exists() for exercise in self.course.exercises)

    @property
    def current(self) -> Exercise:
        """The one that was worked on last, else the first that is not done, else the last of all."""
        for exercise in self.course.exercises:
            if exercise.id == self.state["current"]:
                return exercise
        open_ones = [exercise for exercise in self.course.exercises if not self.done(exercise)]
        return (open_ones or self.course.exercises)[0 if open_ones else -1]

    def turn_to(self, exercise: Exercise) -> None:
        """Makes it the current one."""
        self.state["current"] = exercise.id
        self._save()

    def done(self, exercise: Exercise) -> bool:
        """Whether it was green with exactly this file and this test."""
        return self.state["done"].get(exercise.id) == self._digest(exercise) and self.course.own(exercise).exists()

    def record(self, exercise: Exercise, green: bool) -> None:
        """Keeps the result of a run."""
        if green:
            self.state["done"][exercise.id] = self._digest(exercise)
        else:
            self.state["done"].pop(exercise.id, None)
        self._save()

    def hint(self, exercise: Exercise) -> tuple[int, str]:
        """The next hint and its number from 1; the last one again when all have been given."""
        number = min(self.state["hints"].get(exercise.id, 0) + 1, len(exercise.hints))
        self.state["hints"][exercise.id] = number
        self._save()
        return number, exercise.hints[number - 1]

    def peeked(self, exercise: Exercise) -> None:
        """Records that the solution was seen before green."""
        self.state["peeked"][exercise.id] = True
        self._save()

    def reset(self, exercise: Exercise) -> Path | None:
        """Puts the stub back; returns where the learner's copy was kept, None where there was none."""
        own, kept = self.course.own(exercise), None
        if own.exists():
            moment = time.strftime("%Y%m%d-%H%M%S")
            kept = self.folder / "backup" / own.parent.name / f"{own.stem}-{moment}{own.suffix}"
            number = 2
            while kept.exists():
                kept = kept.with_name(f"{own.stem}-{moment}-{number}{own.suffix}")
                number += 1
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(own, kept)
        self._copy(exercise)
        self._save()
        return kept

    def update(self) -> tuple[list[Exercise], list[Exercise]]:
        """After a new version of the course: replaces the copies that nobody touched; (replaced, kept as they are)."""
        replaced, kept = [], []
        for exercise in self.course.exercises:
            own, stub = self.course.own(exercise), self.course.stub(exercise)
            if own.exists() and _sha(own) == _sha(stub):
                continue
            if not own.exists() or _sha(own) == self.state["copied"].get(exercise.id):
                self._copy(exercise)
                replaced.append(exercise)
            elif self.state["copied"].get(exercise.id) != _sha(stub):
                kept.append(exercise)
        self._lay_out()
        self._save()
        return replaced, kept

    def _copy(self, exercise: Exercise) -> None:
        self._put(self.course.stub(exercise), self.course.own(exercise), exercise.id)

    def _put(self, source: Path, own: Path, key: str) -> None:
        try:
            own.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, own)
        except OSError as error:
            raise StorageError(str(own), "a place that can be written", reason(error)) from error
        self.state["copied"][key] = _sha(own)

    def _digest(self, exercise: Exercise) -> str:
        own, test = self.course.own(exercise), self.course.test(exercise)
        return _sha(own, test) if own.exists() else ""

    def _save(self) -> None:
        """Beside the old one, and then in its place: a crash leaves one or the other."""
        new = self.path.with_suffix(".new")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            new.write_text(json.dumps(self.state, indent=1), encoding="utf-8")
            os.replace(new, self.path)
        except OSError as error:
            raise StorageError(str(self.path), "a place that can be written", reason(error)) from error


def _sha(*paths: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:  # a line ends alike on every system
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()
