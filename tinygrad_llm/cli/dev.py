"""`tgl dev sync [--check]` and `tgl dev prove [ID…]`: for those who write exercises."""

from __future__ import annotations

from collections.abc import Sequence

from tinygrad_llm.course.exercises.catalog import Course
from tinygrad_llm.course.exercises.prove import prove, sync
from tinygrad_llm.errors import ConfigError

ABOUT = """usage: tgl dev sync [--check]      stubs from solutions; --check only compares
       tgl dev prove [ID...]      each exercise can be solved, and wrong answers are found"""


def main(argv: Sequence[str]) -> int:
    """0 where all is well."""
    if not argv or argv[0] in ("-h", "--help"):
        print(ABOUT)
        raise SystemExit(0)
    course = Course.find()
    if argv[0] == "sync":
        stale = sync(course, check="--check" in argv)
        for name in stale:
            print(f"{'differs' if '--check' in argv else 'written'}: {name}")
        return 1 if stale and "--check" in argv else 0
    if argv[0] == "prove":
        return prove(course, [course.get(id) for id in argv[1:]] or list(course.exercises))
    raise ConfigError("tgl dev", "sync or prove", argv[0])
