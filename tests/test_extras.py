"""What a message tells to install can be installed: this package is on no index, and its extras are those of setup.cfg."""

from __future__ import annotations

import configparser
import importlib.metadata
import re
from pathlib import Path

import pytest

from tinygrad_llm import extras

ROOT = Path(__file__).resolve().parents[1]
SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg", encoding="utf-8")
EXTRAS = SETUP["options.extras_require"]
TOLD = [
    path
    for folder, kinds in (
        ("tinygrad_llm", "*.py"), ("benchmarks", "*.py"), ("chapters", "*.py"), ("chapters", "*.toml"), ("docs", "*.md"), (".", "*.md"),
    )
    for path in (ROOT / folder).glob(kinds if folder in (".", "docs") else f"**/{kinds}")
]  # fmt: skip
BY_NAME = re.compile(r"pip install [^`\n]*tinygrad_llm\[")


def test_nothing_tells_to_install_the_package_by_its_name():
    assert len(TOLD) > 300
    found = {path.name for path in TOLD if BY_NAME.search(path.read_text(encoding="utf-8"))}
    assert found == {"extras.py"}, "which says why not"


def test_every_extra_that_is_named_is_one():
    named = {}
    for path in [*TOLD, ROOT / "Makefile"]:
        text = path.read_text(encoding="utf-8")
        for extra in re.findall(r"""\binstall\(["'](\w+)["']\)|pip install [^\n]*?-e ["']\.\[(\w+)\]""", text):
            named.setdefault(extra[0] or extra[1], path)
        if path.name == "doctor.py":
            named |= dict.fromkeys(re.findall(r'^    "\w+": \(".*", "(\w+)"\),$', text, re.MULTILINE), path)
    assert {"learn", "notebook", "cuda13", "oracle"} <= set(named) <= set(EXTRAS)


def test_from_a_checkout_pip_takes_the_extra_by_its_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    assert extras.install("learn") == 'pip install -e ".[learn]"'
    monkeypatch.chdir(tmp_path)
    assert extras.install("learn") == f'pip install -e "{ROOT}[learn]"'


class Installed:
    """Another package in our place: its metadata is what a wheel of ours would have."""

    lines = ["numpy>=2.0", 'pytest>=8; extra == "learn"', 'cupy-cuda13x[ctk]<15,>=14.1; sys_platform != "darwin" and extra == "cuda13"',
             "ml_dtypes>=0.5; extra == 'cuda13'"]  # fmt: skip


@pytest.mark.parametrize(
    ("extra", "told"),
    [("learn", 'pip install "pytest>=8"'), ("cuda13", 'pip install "cupy-cuda13x[ctk]<15,>=14.1" "ml_dtypes>=0.5"')],
)
def test_an_installed_package_names_what_the_extra_names(extra, told, monkeypatch, tmp_path):
    monkeypatch.setattr(extras, "HOME", tmp_path)
    monkeypatch.setattr(
        importlib.metadata, "requires", lambda name: Installed.lines if name == "tinygrad_llm" else None
    )
    assert extras.install(extra) == told
