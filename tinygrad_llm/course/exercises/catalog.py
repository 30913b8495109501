"""Which exercises there are, and where each one's files lie.

chapters/exercises/course.toml        what is here as `Exercise`
chapters/exercises/solutions/e09/     the only source that is written by hand
chapters/exercises/stubs/e09/         made from it by `tgl dev sync`
chapters/exercises/tests/             test_09_1.py and so on
chapters/exercises/mutants/09.1/      wrong answers that people give
work/e09/                             the learner's own copies

In a checkout all of them lie below its folder. A wheel has those of the course within the package, and work/ is where
the learner is.
"""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from tinygrad_llm.errors import ConfigError

HINTS = (2, 3)
WORK = "work"
STATE = ".state"
COURSE = Path("chapters", "exercises", "course.toml")
PACKAGE = Path(__file__).resolve().parents[2]
MATERIAL = PACKAGE / "_material"
"""What a wheel has of a checkout: chapters, exercises, corpora (`.ci/wheel_backend.py` puts it there)."""


@dataclass(frozen=True)
class Exercise:
    """One entry of course.toml.

    id          chapter and number: "09.1".
    file        the learner's file below work/: "e09/softmax.py".
    target      the function of the package that it stands for: "tinygrad_llm.ops.softmax.softmax"; "" for none.
    not_used    why the chapter's `--mine` run does not call it: a sentence; "" where it does.
    minutes     how long it takes about.
    hints       a question, then the idea, then nearly the code.
    equivalent  words of lines of the solution whose mutants change nothing, each with the reason.
    """

    id: str
    title: str
    chapter: str
    file: str
    minutes: int
    hints: tuple[str, ...]
    target: str = ""
    not_used: str = ""
    equivalent: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """The target's own name, or the file's."""
        return self.target.rsplit(".", 1)[-1] or Path(self.file).stem


class Course:
    """The exercises in order, their files below `material`, and the learner's below `root`: in a checkout the same."""

    def __init__(self, root: Path, exercises: tuple[Exercise, ...], material: Path | None = None) -> None:
        self.root, self.exercises = root, exercises
        self.material = root if material is None else material
        self.home = self.material / COURSE.parent

    @classmethod
    def find(cls, start: Path | None = None) -> Course:
        """The course of the checkout around `start`, the current folder where None, else of the one that the package is
        in, else of a wheel: then the learner's files are around `start`, or begin there.

        Raises ConfigError where there is none.
        """
        start = (Path.cwd() if start is None else start).resolve()
        around = (start, *start.parents)
        for folder in (*around, PACKAGE.parent):
            if (folder / COURSE).is_file():
                return cls.load(folder)
        if (MATERIAL / COURSE).is_file():
            begun = (folder for folder in around if (folder / WORK / STATE).is_dir())
            return cls.load(next(begun, start), MATERIAL)
        next_step = "Clone the repository and go into its folder."
        raise ConfigError("exercises", "a checkout of tinygrad_llm, here or above", str(start), next_step)

    @classmethod
    def load(cls, root: Path, material: Path | None = None) -> Course:
        """Reads course.toml.  Raises ConfigError for an entry that is not what `Exercise` says."""
        path = (root if material is None else material) / COURSE
        try:
            entries = tomllib.loads(path.read_text(encoding="utf-8"))["exercise"]
        except (tomllib.TOMLDecodeError, KeyError, UnicodeDecodeError) as error:
            raise ConfigError(str(path), "[[exercise]] tables", str(error)) from error
        return cls(root, tuple(_exercise(entry, path) for entry in entries), material)

    def check_checkout(self, what: str) -> None:
        """Raises ConfigError where this is a wheel's course: `what` is for those who write one."""
        if self.material != self.root:
            next_step = "Clone the repository: it has the tests, the records and the book as well."
            raise ConfigError(what, "a checkout of tinygrad_llm", "an installed package", next_step)

    def get(self, id: str) -> Exercise:
        """The exercise of that id, or of the learner's file; 9.1 is taken for 09.1.  Raises ConfigError."""
        for exercise in self.exercises:
            if exercise.id in (id, "0" + id) or (id.endswith(".py") and Path(id).resolve() == self.own(exercise)):
                return exercise
        if id.endswith(".py"):
            raise ConfigError("exercise", f"a file of yours below {WORK}/", id, "`tgl list` shows the exercises.")
        if own := self.of_chapter(id.zfill(2)):
            got, names = f"the chapter {id}", ", ".join(e.id for e in own)
            raise ConfigError("exercise", "an id as in `tgl list`", got, f"Its exercises are {names}.")
        near = difflib.get_close_matches(id, [e.id for e in self.exercises], 1, 0.3)
        raise ConfigError("exercise", "an id as in `tgl list`", id, f"Did you mean {near[0]}?" if near else "")

    def after(self, exercise: Exercise) -> Exercise | None:
        """The next one; None after the last."""
        place = self.exercises.index(exercise) + 1
        return self.exercises[place] if place < len(self.exercises) else None

    def before(self, exercise: Exercise) -> Exercise | None:
        """The one before; None before the first."""
        place = self.exercises.index(exercise) - 1
        return self.exercises[place] if place >= 0 else None

    def of_chapter(self, chapter: str) -> list[Exercise]:
        """Those of one chapter."""
        return [exercise for exercise in self.exercises if exercise.chapter == chapter]

    def solution(self, exercise: Exercise) -> Path:
        """The answer."""
        return self.home / "solutions" / exercise.file

    def stub(self, exercise: Exercise) -> Path:
        """What a learner starts from."""
        return self.home / "stubs" / exercise.file

    def test(self, exercise: Exercise) -> Path:
        """The checks."""
        return self.home / "tests" / f"test_{exercise.id.replace('.', '_')}.py"

    def mutants(self, exercise: Exercise) -> list[Path]:
        """Wrong answers written by hand."""
        return sorted((self.home / "mutants" / exercise.id).glob("*.py"))

    def own(self, exercise: Exercise) -> Path:
        """The learner's copy."""
        return self.root / WORK / exercise.file

    def shown(self, path: Path) -> str:
        """A path as a learner would type it: below the checkout, with /."""
        path = path.resolve()
        root = self.root.resolve()
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)

    def chapters(self) -> dict[str, Path]:
        """The chapters' scripts by number; the learner's own copy where there is one."""
        scripts = sorted((self.material / "chapters").glob("[0-9][0-9]_*.py"))
        copies = {path: self.copy_of(path) for path in scripts}
        return {path.name[:2]: copy if copy.is_file() else path for path, copy in copies.items()}

    def copy_of(self, script: Path) -> Path:
        """Where the learner's copy of a chapter is; in a checkout, the chapter itself."""
        return self.root / "chapters" / script.name

    def chapter(self, number: str) -> Path:
        """The script of a chapter; 9 is taken for 09.  Raises ConfigError where there is none."""
        found = self.chapters()
        if number.zfill(2) not in found:
            raise ConfigError("chapter", "one of those that `tgl chapter` lists", number)
        return found[number.zfill(2)]


def _exercise(entry: dict, path: Path) -> Exercise:
    known = {field.name for field in fields(Exercise)}
    needed = known - {"target", "not_used", "equivalent"}
    name = f"{path.name}: {entry.get('id', 'an exercise')}"
    if set(entry) - known or needed - set(entry):
        got = f"unknown {sorted(set(entry) - known)}, missing {sorted(needed - set(entry))}"
        raise ConfigError(name, f"the fields {sorted(known)}", got)
    if not HINTS[0] <= len(entry["hints"]) <= HINTS[1]:
        raise ConfigError(name, f"{HINTS[0]} to {HINTS[1]} hints", len(entry["hints"]))
    if not entry["id"].startswith(entry["chapter"] + "."):
        raise ConfigError(name, f"an id that starts with its chapter {entry['chapter']}", entry["id"])
    entry = dict(entry, hints=tuple(entry["hints"]), equivalent=tuple(tuple(e) for e in entry.get("equivalent", ())))
    return Exercise(**entry)
