"""Why an answer is wrong, where that is known for certain.

The wrong answers of mutants/ID/ are the hypotheses. Each begins with two lines,

    # expect: words of the report
    # means: The mask stands after the softmax: what is left of a row no longer sums to 1.

When a check is red, it is made again with each of these files in the place of the learner's. A file fits where the same
call comes to the same wrong answer, and where every check that is green for the learner is green for it too: a mistake
that would have made one of them red is not this one. Of several that fit, the other red checks decide. Where none fits,
nothing is said: the report has what differs, and a guess would cost more.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinygrad_llm.course.exercises.calls import Expectation, Raised
from tinygrad_llm.course.exercises.difference import same
from tinygrad_llm.course.exercises.loading import Mine

MEANS = "# means:"
RTOL, ATOL = 1e-6, 1e-9
"""How near two answers are that come of one mistake, written in two ways."""


@dataclass(frozen=True)
class Check:
    """One check: `run(mine)` makes it with any file's functions; `error` is what it found with the learner's."""

    run: Callable[[Mine], object]
    error: BaseException | None


@dataclass(frozen=True)
class Mistake:
    """A known wrong answer, and the sentence that is true of it."""

    sentence: str
    mine: Mine

    def error(self, check: Check) -> BaseException | None:
        """What the check finds with it."""
        try:
            check.run(self.mine)
        except BaseException as error:  # a wrong answer may raise anything
            return error
        return None


def sentence(text: str) -> str:
    """What a wrong answer's file says of itself: its second line; "" where it says nothing."""
    lines = text.split("\n", 2)
    return lines[1].removeprefix(MEANS).strip() if len(lines) > 1 and lines[1].startswith(MEANS) else ""


def mistakes(folder: Path) -> list[Mistake]:
    """The known wrong answers of an exercise that have a sentence, and that can be executed."""
    found = []
    for path in sorted(folder.glob("*.py")):
        if said := sentence(path.read_text(encoding="utf-8")):
            with contextlib.suppress(Raised, SyntaxError):
                found.append(Mistake(said, Mine(str(path))))
    return found


def reason(checks: Sequence[Check], known: Sequence[Mistake]) -> str:
    """What the first red check's answer comes of; "" where no known mistake gives the same."""
    with contextlib.ExitStack() as silence:
        nowhere = silence.enter_context(open(os.devnull, "w", encoding="utf-8"))
        silence.enter_context(contextlib.redirect_stdout(nowhere))
        silence.enter_context(contextlib.redirect_stderr(nowhere))
        red = next((check for check in checks if check.error is not None), None)
        if red is None or not isinstance(red.error, Expectation | Raised):
            return ""
        fit = [mistake for mistake in known if alike(red.error, mistake.error(red))]
        green = [check for check in checks if check.error is None]
        fit = [mistake for mistake in fit if all(mistake.error(check) is None for check in green)]
        for check in checks:
            if len({mistake.sentence for mistake in fit}) <= 1:
                break
            if check is not red and check.error is not None:
                fit = [m for m in fit if alike(check.error, m.error(check))] or fit
    return " Or: ".join(dict.fromkeys(mistake.sentence for mistake in fit))


def alike(one: BaseException | None, other: BaseException | None) -> bool:
    """Whether two runs of a check came to the same: it passed, the same answer to the same call, the same error."""
    if isinstance(one, Expectation) and isinstance(other, Expectation):
        return one.called == other.called and _equal(one, other)
    if isinstance(one, Raised) and isinstance(other, Raised):
        return one.called == other.called and _said(one.__cause__) == _said(other.__cause__)
    return type(one) is type(other) and _said(one) == _said(other)


def _equal(one: Expectation, other: Expectation) -> bool:
    if one.answer is None and other.answer is None:
        return one.got == other.got
    try:
        return same(one.answer, other.answer, RTOL, ATOL)
    except Exception:  # of what a learner's object makes of a comparison
        return False


def _said(error: BaseException | None) -> tuple[type, str]:
    try:
        return type(error), str(error)
    except Exception:
        return type(error), ""
