"""`tgl chapter NUMBER [--mine] [flags]`: runs a chapter's script."""

from __future__ import annotations

from collections.abc import Sequence

from tinygrad_llm.course.exercises.catalog import Course
from tinygrad_llm.course.exercises.mine import chapter_command, green_files
from tinygrad_llm.course.exercises.scripts import title_of

ABOUT = """usage: tgl chapter NUMBER [--mine] [the chapter's own flags]

Runs a chapter: `tgl chapter 9 --fast`. With --mine, functions whose exercises are green are yours.
`tgl chapter 9 --help` shows the chapter's flags. The chapters:
"""


def main(argv: Sequence[str]) -> int:
    """Runs it; the exit status is the script's."""
    course = Course.find()
    if not argv or argv[0] in ("-h", "--help"):
        print(ABOUT)
        for number, path in course.chapters().items():
            print(f"  {number}  {title_of(path)}")
        raise SystemExit(0)
    number, flags = argv[0].zfill(2), [flag for flag in argv[1:] if flag != "--mine"]
    course.chapter(number)
    files, lines = green_files(course, number) if "--mine" in argv else ({}, [])
    if "--mine" in argv:
        print("\n".join(lines) or "This chapter has no exercises.", flush=True)
    status = chapter_command(course, number, flags, files)
    return status if status >= 0 else 128 - status  # a signal ended it, and that is how a shell says so
