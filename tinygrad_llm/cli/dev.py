"""`tgl dev sync` and `tgl dev prove`: for those who write exercises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from tinygrad_llm.cli.flags import parse
from tinygrad_llm.course.exercises.catalog import Course
from tinygrad_llm.course.exercises.proofs import fingerprint, load_proofs, sample, save_proofs, unproved
from tinygrad_llm.course.exercises.prove import prove, sync
from tinygrad_llm.errors import ConfigError

ABOUT = """usage: tgl dev sync [--check]      stubs from solutions; --check only compares
       tgl dev prove [ID...]      each exercise can be solved, and wrong answers are found"""


@dataclass(frozen=True)
class ProveFlags:
    """Which exercises are proved whole: those named, else those that are not proved as they are now, and these."""

    all: bool = field(default=False, metadata={"help": "every exercise"})
    sample: int = field(default=0, metadata={"help": "as many of the proved ones once more"})
    seed: str = field(default="", metadata={"help": "decides which ones those are: a commit's hash, for example"})


def main(argv: Sequence[str]) -> int:
    """0 where all is well."""
    if not argv or argv[0] in ("-h", "--help"):
        print(ABOUT)
        raise SystemExit(0)
    commands = {"sync": _sync, "prove": _prove}
    if argv[0] not in commands:
        raise ConfigError("tgl dev", " or ".join(commands), argv[0])
    course = Course.find()
    course.check_checkout("tgl dev")
    return commands[argv[0]](course, argv[1:])


def _sync(course: Course, argv: Sequence[str]) -> int:
    check = "--check" in argv
    stale = sync(course, check)
    for name in stale:
        print(f"{'differs' if check else 'written'}: {name}")
    return 1 if stale and check else 0


def _prove(course: Course, argv: Sequence[str]) -> int:
    """Proves, and keeps account of what has been proved."""
    ids = list(takewhile(lambda word: not word.startswith("-"), argv))
    about = "Proves that exercises are fair. The account of it is chapters/exercises/proved.toml."
    flags = ProveFlags(**parse(argv[len(ids) :], ProveFlags, prog="tgl dev prove [ID...]", about=about)[0])
    named = [course.get(id) for id in ids]
    whole = named or list(course.exercises) if named or flags.all else unproved(course)
    again = sample([e for e in course.exercises if e not in whole], flags.sample, flags.seed)
    now = {e.id: fingerprint(course, e) for e in [*whole, *again]}
    problems = prove(course, named or list(course.exercises), [*whole, *again])
    proofs = load_proofs(course) | now
    save_proofs(course, {id: hash for id, hash in proofs.items() if id not in problems})
    return 1 if problems else 0
