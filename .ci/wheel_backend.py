"""setuptools, and what setup.cfg cannot say: a wheel has what lies beside the package too, as tinygrad_llm/_material.

Chapters, exercises, the small corpora and the two goldens that chapters read are copied while a wheel is built, never
in the repository. An editable installation finds them where they are.
"""

from __future__ import annotations

from pathlib import Path

from setuptools.build_meta import *  # noqa: F403 - pip asks this module for a backend's functions
from setuptools.command import build_py

MATERIAL = (
    "chapters/[0-9][0-9]_*.py",
    "chapters/exercises/course.toml",
    "chapters/exercises/stubs/*/*.py",
    "chapters/exercises/solutions/*/*.py",
    "chapters/exercises/tests/*.py",
    "chapters/exercises/mutants/*/*.py",
    "data/SOURCES.md",
    "data/*/*.txt",
    "data/*/*.tsv",
    "data/*/analogies.json",
    "tests/goldens/expressions.json",
    "tests/goldens/programs.json",
    "tests/goldens/tales_merges.json",
    "tinygrad_llm/autograd/scalar.py",  # chapter 01 counts its lines
)


class BuildWithMaterial(build_py.build_py):
    """`build_py`, with a few more files as data of the package."""

    def finalize_options(self) -> None:
        super().finalize_options()
        if not self.editable_mode:
            for pattern in MATERIAL:
                for path in sorted(Path().glob(pattern)):
                    folder = Path(self.build_lib, "tinygrad_llm", "_material", path.parent)
                    self.data_files.append(("tinygrad_llm", str(path.parent), str(folder), [path.name]))


build_py.build_py = BuildWithMaterial  # where setuptools looks for the command: setup.cfg cannot name one
