"""What a learner reads after a run: the first thing that is wrong, whole, and how to go on."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

from tinygrad_llm.course.exercises.catalog import Course, Exercise
from tinygrad_llm.course.exercises.runner import LIMIT_S, Outcome

LABEL = 12
WIDEST = 110
MOST_NAMED = 3


def report(course: Course, outcome: Outcome, full: bool = False, keys: bool = False) -> str:
    """The lines to print; `keys` where single keys are commands. Where no check could be read, pytest's own output."""
    try:
        return "\n".join(_lines(course, outcome, full, keys))
    except Exception as error:  # a learner must see something, whatever is wrong with us
        return f"{outcome.output}\n(the report itself failed: {type(error).__name__}: {error})"


def sign(good: bool) -> str:
    """✓ or ✗; plain letters where the terminal cannot show them."""
    try:
        "✓✗".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return "ok" if good else "x"
    return "✓" if good else "✗"


def _lines(course: Course, outcome: Outcome, full: bool, keys: bool) -> Iterator[str]:
    exercise, total = outcome.exercise, outcome.count
    if full:
        yield outcome.output.strip()
        yield ""
    if outcome.green:
        yield from _wrapped(
            f"{sign(True)} {exercise.id} {total}/{total} checks. {_next_step(course, exercise, keys)}", "  "
        )
        yield from _printed(outcome.checks)
        return
    if not outcome.failed and outcome.stopped is None:
        yield outcome.output.strip() or "(it printed nothing)"
        yield f"{sign(False)} {exercise.id} the process ended before any check did; above is all that it said."
        return
    yield from (_stopped if outcome.stopped is not None else _failed)(course, outcome)
    test = outcome.failed[0].get("line") if outcome.failed else None
    yield _labelled("test", f"{course.shown(outcome.test)}{f':{test}' if test else ''}")
    yield _labelled("stuck?", f"tgl hint {exercise.id}    full traceback: tgl test {exercise.id} --full")


def _next_step(course: Course, exercise: Exercise, keys: bool) -> str:
    following = course.after(exercise)
    if keys:
        compare, go_on = "Compare: press s.", f"Press n for {following.id}" if following else ""
    else:
        compare, go_on = f"Compare: tgl solution {exercise.id}.", f"Next: tgl test {following.id}" if following else ""
    return f"{compare} {go_on}, or keep experimenting." if go_on else f"{compare} That was the last one."


def _stopped(course: Course, outcome: Outcome) -> Iterator[str]:
    name = f"{sign(False)} {outcome.exercise.id}"
    where = outcome.stopped or {}
    if not where:
        yield f"{name} stopped after {LIMIT_S:g} s. Is there a loop that never ends?"
        return
    place = f"{course.shown(outcome.file)}:{where['at']} in {where['function']}()"
    yield from _wrapped(f"{name} stopped after {LIMIT_S:g} s: {place} is still running. Does this loop ever end?", "  ")


def _failed(course: Course, outcome: Outcome) -> Iterator[str]:
    first, file = outcome.failed[0], course.shown(outcome.file)
    yield f"{sign(False)} {outcome.exercise.id} {first.get('name', outcome.exercise.title)}"
    yield from _KINDS[first["kind"]](first, file)
    if outcome.reason:
        yield _labelled("meaning", outcome.reason)
    yield from (_labelled("numpy said", text) for text in first.get("warned", [])[:1])
    yield from _printed(outcome.failed[:1])
    others = [c["name"] for c in outcome.failed[1:] if "name" in c and c["kind"] != "todo"]
    to_do = sum(c["kind"] == "todo" for c in outcome.failed[1:])
    good = len(outcome.checks) - len(outcome.failed)
    if others and first["kind"] not in ("todo", "syntax"):
        more = f", and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
        yield _labelled("also red", "; ".join(others[:MOST_NAMED]) + more)
    if to_do and first["kind"] != "todo":
        yield _labelled("not started", f"{to_do} check{'s' * (to_do > 1)}")
    if good:
        yield _labelled("green", f"{good} of {outcome.count} checks")


def _todo(event: dict[str, Any], file: str) -> Iterator[str]:
    yield from _wrapped(f"  not started: {file}:{event['at']} still says `raise Todo`. Replace that line.", "  ")
    if event["text"]:
        yield _labelled("to write", event["text"])


def _expectation(event: dict[str, Any], file: str) -> Iterator[str]:
    yield _labelled("you called", event["called"])
    yield _labelled("you got", event["got"])
    yield _labelled("expected", event["expected"])
    yield _labelled("differs", event["differs"])


def _raised(event: dict[str, Any], file: str) -> Iterator[str]:
    if event["called"]:
        yield _labelled("you called", event["called"])
    yield _labelled("it raised", event["error"])
    if "at" in event:
        yield _labelled("at", f"{file}:{event['at']} in {event['function']}:  {event['source']}")


def _missing(event: dict[str, Any], file: str) -> Iterator[str]:
    near = f" Did you mean {event['near']} (line {event['at']})?" if event["near"] else ""
    yield from _wrapped(f"  {file} defines no {event['wanted']}.{near}", "  ")


def _syntax(event: dict[str, Any], file: str) -> Iterator[str]:
    yield from _wrapped(f"  {file}:{event['at']} is not Python yet: {event['text']}", "  ")
    if event["source"]:
        yield _labelled("the line", event["source"].strip())


def _ended(event: dict[str, Any], file: str) -> Iterator[str]:
    yield from _wrapped("  the process ended while this check ran, and nothing after it was checked.", "  ")


def _replaced(event: dict[str, Any], file: str) -> Iterator[str]:
    yield from _wrapped(f"  {file} replaced {event['what']}, which the checks use. Leave it as it was.", "  ")


def _broken(event: dict[str, Any], file: str) -> Iterator[str]:
    yield "  the checks themselves could not be read; this is not your mistake:"
    yield textwrap.indent(event["text"], "    ")


def _breakpoint(event: dict[str, Any], file: str) -> Iterator[str]:
    place = f"{file}:{event['at']}" if "at" in event else file
    next_step = "Add --debug to `tgl test`, or take the breakpoint() out."
    yield from _wrapped(f"  {place} waits at a breakpoint(), and there is no keyboard here. {next_step}", "  ")


_KINDS = {
    "todo": _todo, "expectation": _expectation, "raised": _raised, "missing": _missing, "syntax": _syntax,
    "broken": _broken, "breakpoint": _breakpoint, "ended": _ended, "replaced": _replaced,
}  # fmt: skip


def _printed(checks: list[dict[str, Any]]) -> Iterator[str]:
    lines = [line for check in checks for line in check.get("printed", "").splitlines()]
    if lines:
        more = f"   (… {len(lines)} lines in all)" if len(lines) > 3 else ""
        yield _labelled("you printed", " | ".join(lines[:3]) + more)


def width() -> int:
    """Columns of the terminal, within reason."""
    return min(WIDEST, max(40, shutil.get_terminal_size((80, 24)).columns))


def _labelled(label: str, text: str) -> str:
    """`  label       text`, wrapped under the text; a call is never broken, so that it can be pasted."""
    if label == "you called":
        return f"  {label:{LABEL}}{text}"
    return "\n".join(_wrapped(f"  {label:{LABEL}}{text}", " " * (LABEL + 2)))


def _wrapped(text: str, indent: str) -> list[str]:
    first = text[: len(text) - len(text.lstrip())]
    body = textwrap.wrap(
        text, width(), subsequent_indent=indent, drop_whitespace=True, break_long_words=False, break_on_hyphens=False
    )
    return [first + body[0].lstrip(), *body[1:]] if body else []
