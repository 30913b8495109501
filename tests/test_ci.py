""".ci/run makes its parts two at a time, says what each said in one piece, and fails where one fails: on a made-up Makefile."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from itertools import accumulate
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RUN = ROOT / ".ci" / "run"
GROUPS = [line.split() for line in re.findall(r"^together (.*?)(?: #.*)?$", RUN.read_text(encoding="utf-8"), re.M)]
PARTS = [part for group in GROUPS for part in group]
pytestmark = pytest.mark.skipif(os.name == "nt" or not shutil.which("make"), reason="needs bash and make")
# The first two of the last group wait for each other, so that they are seen at once however slow the machine is. What is
# going on is read from the order of the lines of one file: an appended line is whole.
RECIPE = """
.PHONY: {parts}
{parts}:
	@echo begins $@ >> events
	@echo "$@ says one; BLAS has $$OPENBLAS_NUM_THREADS"
	@case $@ in {pair}) for i in $$(seq 1500); do \\
		[ "$$(grep -cxE 'begins ({pair})' events)" -ge 2 ] && break; sleep 0.02; done;; esac
	@echo ends $@ >> events
	@echo "$@ says two"; ! grep -qx $@ red
"""


@pytest.fixture
def run(tmp_path):
    """A function from the parts that fail to what a checkout's .ci/run did; the checkout's files are beside it."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(RUN, tmp_path / ".ci" / "run")
    (tmp_path / "Makefile").write_text(
        RECIPE.format(parts=" ".join(PARTS), pair="|".join(GROUPS[-1][:2])), encoding="utf-8"
    )

    def started(*red):
        (tmp_path / "red").write_text("".join(f"{part}\n" for part in red))
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
        command = ["bash", str(tmp_path / ".ci" / "run")]
        return subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL)

    return started


def of_kind(kind, events):
    """The parts of which `events` say that they begin, or end, in alphabetical order."""
    return sorted(event.split()[1] for event in events if event.split()[0] == kind)


def test_every_part_is_a_target_and_all_that_the_design_names_are_there():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    assert set(PARTS) <= targets and len(set(PARTS)) == len(PARTS)
    listed = "train test test-chapters prove test-oracle test-long test-standin test-gpu mutants bench bench-gpu docs claims lint"
    assert set(listed.split()) <= targets


def test_all_parts_are_made_two_at_a_time_and_each_is_told_in_one_piece(run, tmp_path):
    done = run()
    assert done.returncode == 0, done.stdout + done.stderr
    events = (tmp_path / "events").read_text().splitlines()
    assert of_kind("begins", events) == of_kind("ends", events) == sorted(PARTS)
    assert max(accumulate(1 if event.startswith("begins") else -1 for event in events)) == 2, "how many go on at once"
    for part in PARTS:
        assert f"{part} says one; BLAS has 1\n{part} says two\n" in done.stdout
        assert re.search(rf"^{part} +\d+$", done.stdout, re.M), "a row of the table"
    assert re.search(r"^all +\d+\n\Z", done.stdout, re.M)


@pytest.mark.parametrize("red", [["prove"], ["lint"], ["test", "docs"]])
def test_a_part_that_fails_fails_the_whole_and_stops_no_other(run, tmp_path, red):
    done = run(*red)
    assert done.returncode == 1
    assert of_kind("ends", (tmp_path / "events").read_text().splitlines()) == sorted(PARTS)
    assert set(re.findall(r"^([a-z-]+) +\d+ +FAILED$", done.stdout, re.M)) == set(red)


def test_without_an_environment_nothing_else_is_tried(run, tmp_path):
    done = run("environment")
    assert done.returncode == 1 and of_kind("begins", (tmp_path / "events").read_text().splitlines()) == ["environment"]


def test_what_is_going_on_when_it_is_stopped_is_told(run, tmp_path):
    makefile = tmp_path / "Makefile"
    makefile.write_text(
        makefile.read_text().replace('@echo "$@ says two"', '@kill -TERM $$(cat pid); sleep 1; echo "$@ says two"')
    )
    script = tmp_path / ".ci" / "run"
    script.write_text(script.read_text().replace("logs=$(mktemp -d)", "logs=$(mktemp -d); echo $$ > pid"))
    done = run()
    assert done.returncode != 0 and "environment: stopped\nenvironment says one" in done.stdout
