"""What a learner does at the desk: test, watch, hint, solution, reset, list. Each prints; none moves on by itself."""

from __future__ import annotations

import ast
import sys
import textwrap
from pathlib import Path

from tinygrad_llm.course.exercises.catalog import Course, Exercise
from tinygrad_llm.course.exercises.desk import Desk
from tinygrad_llm.course.exercises.keys import keyboard
from tinygrad_llm.course.exercises.report import report, sign, width
from tinygrad_llm.course.exercises.runner import Outcome, run
from tinygrad_llm.course.exercises.scripts import sections_of, title_of
from tinygrad_llm.course.exercises.stubs import without_marks
from tinygrad_llm.errors import ConfigError

KEYS = "n next   p back   h hint   r run   l list   x reset   s solution   q quit"
MOVES = {"n": Course.after, "p": Course.before, "r": lambda course, exercise: exercise}
UNSEEN = "not looked at yet"
BAR = 10
YES = ("y", "yes")


class Session:
    """One learner at one desk."""

    def __init__(self, course: Course) -> None:
        self.course, self.desk = course, Desk(course)

    def start(self) -> None:
        """Copies the stubs and says how to begin."""
        new = self.desk.start()
        first = self.desk.current
        print(f"{len(new)} exercises are ready in work/." if new else "All exercises are in work/ already.")
        if self.course.material != self.course.root:
            print(f"{len(self.course.chapters())} chapters are in chapters/, to be read and changed.")
        print(f"\n  1. open    {self.course.shown(self.course.own(first))}")
        print("  2. run     tgl watch        (it looks at your file each time you save)")
        print(f"\nThe first one, {first.id}, is green already: change it, and see what red looks like.")

    def pick(self, id: str | None) -> Exercise:
        """The exercise of that id, or the current one.  Raises ConfigError where nothing was started."""
        if not self.desk.started:
            raise ConfigError("exercises", "a folder work/", "none", "Begin with: tgl start")
        exercise = self.course.get(id) if id else self.desk.current
        if not self.course.own(exercise).exists():
            self.desk.start()  # it was deleted, or came with an update
            print(f"{self.course.shown(self.course.own(exercise))} was not there; it is now as at the start.\n")
        return exercise

    def test(self, exercise: Exercise, full: bool = False, debug: bool = False) -> Outcome:
        """Runs the checks, prints the report, keeps the result."""
        outcome = self._checked(exercise, debug)
        print(report(self.course, outcome, full))
        return outcome

    def _checked(self, exercise: Exercise, debug: bool = False) -> Outcome:
        outcome = run(self.course, exercise, debug=debug)
        self.desk.turn_to(exercise)
        self.desk.record(exercise, outcome.green)
        return outcome

    def test_all(self) -> bool:
        """Every exercise, a line each; whether all are green."""
        good = 0
        for exercise in self.course.exercises:
            outcome = run(self.course, exercise)
            self.desk.record(exercise, outcome.green)
            print(f"{sign(outcome.green)} {exercise.id} {exercise.title}", flush=True)
            good += outcome.green
        print(f"{good} of {len(self.course.exercises)} green")
        return good == len(self.course.exercises)

    def hint(self, exercise: Exercise, keys: bool = False) -> None:
        """The next hint; after the last one it once more, and what else there is. keys: are single keys commands?"""
        over = self.desk.state["hints"].get(exercise.id, 0) >= len(exercise.hints)
        number, text = self.desk.hint(exercise)
        again = ", once more," if over else ""
        print(f"hint {number} of {len(exercise.hints)}{again} for {exercise.id} {exercise.title}")
        print(textwrap.fill(text, width(), initial_indent="  ", subsequent_indent="  "))
        if over:
            self._after_the_last_hint(exercise, keys)

    def _after_the_last_hint(self, exercise: Exercise, keys: bool) -> None:
        look = "press s" if keys else f"tgl solution {exercise.id}"
        asked = "" if self.desk.done(exercise) else "   (it is not green yet: you are asked first)"
        print(f"\nThere are no more hints for {exercise.id}. What else there is:")
        script = self.course.chapters().get(exercise.chapter)
        if script is not None:
            for name, line in sections_of(script, exercise.id) or [(title_of(script), 1)]:
                print(f"  read     {self.course.shown(script)}:{line}   {name}")
        print(f"  compare  {look}{asked}")

    def solution(self, exercise: Exercise, ask: bool = True) -> None:
        """Ours below yours: free after green; before that it asks, and remembers that you looked."""
        if not self.desk.done(exercise):
            if ask and not _agreed(f"{exercise.id} is not green yet. Look all the same? [y/N] "):
                return
            self.desk.peeked(exercise)
        ours = without_marks(_read(self.course.solution(exercise)))
        for title, text in (("yours", _read(self.course.own(exercise))), ("ours", ours)):
            print(f"-- {title} ".ljust(width(), "-"))
            print(_code(text))
        print("-" * width())

    def reset(self, exercise: Exercise, ask: bool = True) -> None:
        """Puts the stub back after keeping a copy."""
        if ask and not _agreed(f"Begin {exercise.id} anew? A copy of yours is kept. [y/N] "):
            return
        kept = self.desk.reset(exercise)
        print(f"{exercise.id} is as at the start." + (f" Yours: {self.course.shown(kept)}" if kept else ""))

    def list(self, all: bool = False) -> None:
        """Progress: a line a chapter, and its exercises for the one that is open, or for all of them."""
        current = self.desk.current
        names = {number: title_of(script) for number, script in self.course.chapters().items()}
        for chapter in dict.fromkeys(exercise.chapter for exercise in self.course.exercises):
            own = self.course.of_chapter(chapter)
            done = sum(map(self.desk.done, own))
            filled = BAR * done // len(own)
            print(
                f"{chapter}  {'#' * filled}{'.' * (BAR - filled)}  {done}/{len(own)}  {names.get(chapter, '')}".rstrip()
            )
            for exercise in own if all or chapter == current.chapter else ():
                here = ">" if exercise == current else " "
                mark = sign(True) if self.desk.done(exercise) else " "
                peeked = "  (solution seen)" if exercise.id in self.desk.state["peeked"] else ""
                print(f"  {here} {mark:2} {exercise.id}  {exercise.title}  ~{exercise.minutes} min{peeked}")
        if not all:
            print("(tgl list --all shows every exercise)")

    def update(self) -> None:
        """Takes over what a new version of the course brings."""
        replaced, kept = self.desk.update()
        if replaced:
            print(f"new in work/, since you had not touched them: {_ids(replaced)}")
        if kept:
            print(
                f"changed, but you have worked on them, so they stay: {_ids(kept)}   (tgl reset ID takes the new one)"
            )
        if not replaced and not kept:
            print("Nothing has changed.")

    def watch(self, exercise: Exercise) -> None:
        """Runs the checks at each save, until q. Which exercise is looked at changes only by a key."""
        self.desk.turn_to(exercise)
        seen: object = UNSEEN
        with keyboard() as key:
            pressed = ""
            while pressed != "q":
                stamp = _stamp(self.course.own(exercise))
                if stamp != seen:
                    seen = stamp
                    self._look(exercise)
                pressed = pressed or key()
                if pressed in MOVES:
                    exercise = MOVES[pressed](self.course, exercise) or exercise
                    self.desk.turn_to(exercise)
                    seen, pressed = UNSEEN, ""
                elif pressed not in ("", "q"):
                    pressed = self._by_key(pressed, exercise, key)

    def _look(self, exercise: Exercise) -> None:
        """The checks of one exercise, on a clean screen."""
        print("\033[2J\033[H" if _is_terminal() else "", end="")
        self.pick(exercise.id)
        print(f"{exercise.id} {exercise.title}   {self.course.shown(self.course.own(exercise))}\n")
        print(report(self.course, self._checked(exercise), keys=True))
        print(f"\n{KEYS}", flush=True)

    def _by_key(self, pressed: str, exercise: Exercise, key) -> str:
        """Does what a key asks for; returns the next one where it was pressed in place of a confirmation."""
        other = ""
        if pressed == "h":
            self.hint(exercise, keys=True)
        elif pressed == "l":
            self.list()
        elif pressed == "s" and self.desk.done(exercise):
            self.solution(exercise)
        elif pressed in "xs":
            question = "see the solution" if pressed == "s" else "begin anew (a copy of yours is kept)"
            print(f"{question}? press {pressed} again", flush=True)
            other = _next_key(key)
            if other == pressed:
                (self.solution if pressed == "s" else self.reset)(exercise, ask=False)
                other = ""
            else:
                print("not done.")
        print(f"\n{KEYS}", flush=True)
        return other


def _next_key(key, patience: int = 20) -> str:
    """The next key within ten seconds."""
    return next((pressed for pressed in (key() for _ in range(patience)) if pressed), "")


def _stamp(path: Path) -> tuple | None:
    """What changes when a file is saved."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _code(text: str) -> str:
    """Without the docstring of the file, which both have."""
    try:
        first = ast.parse(text).body[0]
    except (SyntaxError, IndexError):
        return text.strip()
    has_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return "\n".join(text.split("\n")[first.end_lineno if has_text else 0 :]).strip()


def _is_terminal() -> bool:
    return sys.stdout.isatty()


def _agreed(question: str) -> bool:
    try:
        return input(question).strip().lower() in YES
    except EOFError:
        print("no")
        return False


def _ids(exercises: list[Exercise]) -> str:
    return ", ".join(exercise.id for exercise in exercises) or "none"
