"""`make mutants`: plants mistakes one at a time, and counts those that the tests find.

    python -m tests.mutants [--all] [--sample N] [--only TEXT] [--lists] [--file PATH] [--jobs 2]

The operators of `course/exercises/operators.py` over every operation, module and optimizer and the tape, over a part of
each higher folder (`--all`: over the whole of it), and the lists of `mistakes/`; or a list of your own (`--file`: a Python
file with `FAULTS`, made as those are). `runs.py` says how. A mutant that makes the tests hang is found too, and listed, for
a suite that is merely too slow would look the same. Survivors are listed; `excluded.py` says which cannot be told apart.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import random
import runpy
import sys
import tempfile

from tests.mutants.areas import PACKAGE, ROOT
from tests.mutants.excluded import reason
from tests.mutants.forks import end_forks_with_me, forked
from tests.mutants.mistakes import MISTAKES
from tests.mutants.runs import TIMEOUT_S, Plan, fates, loaded_anew
from tinygrad_llm.course.exercises.operators import Mutant, mutants

WHOLE = ("ops", "nn", "optim", "autograd")
IN_PART = ("tokenizer", "datasets", "models", "train", "generate", "evaluate", "prompt", "quantize", "finetune")
PART = 50
"""So many of the operators' mutants are drawn of a folder that is taken in part, always the same."""
GOAL = 0.99


def listed(mistakes: list[tuple[str, str, str, str]]) -> list[Plan]:
    """A list as mutants.  A mistake whose right form is no longer in the file is an error of its list."""
    found = []
    for file, right, wrong, name in mistakes:
        text = (PACKAGE / file).read_text(encoding="utf-8")
        if right not in text:
            raise SystemExit(f"{name}: {file} no longer holds {right!r}")
        line = text[: text.index(right)].count("\n") + 1
        mutant = Mutant(file, line, name, right.strip().splitlines()[0], text.replace(right, wrong))
        found.append(Plan(mutant, range(line, line + len(right.splitlines()))))
    return found


def made(folder: str) -> tuple[list[Plan], int]:
    """Those that the operators make in a folder and that are not excluded, and how many are."""
    kept, left_out = [], 0
    for path in sorted((PACKAGE / folder).glob("*.py")):
        file = path.relative_to(PACKAGE).as_posix()
        for mutant in mutants(file, path.read_text(encoding="utf-8")):
            if reason(file, mutant.source, mutant.what):
                left_out += 1
            else:
                kept.append(Plan(mutant, range(mutant.line, mutant.line + 1)))
    return kept, left_out


def chosen_by_operators(whole: bool) -> tuple[list[Plan], int]:
    """Those of all folders; of the higher ones a part, unless the whole is asked for."""
    chosen, left_out = [], 0
    for folder in (*WHOLE, *IN_PART):
        kept, left = made(folder)
        if folder in IN_PART and not whole:
            kept = random.Random(folder).sample(kept, min(PART, len(kept)))
        chosen, left_out = chosen + kept, left_out + left
    return chosen, left_out


def check_itself(plans: list[Plan], jobs: int) -> None:
    """A check that cannot pass would find every mutant; one whose mistakes are never loaded, none."""
    file = plans[0].mutant.file
    nothing = Mutant(file, 0, "nothing", "", (PACKAGE / file).read_text(encoding="utf-8"))
    broken = Mutant(file, 0, "a file that cannot be loaded", "", "raise RuntimeError")
    became = {
        ended.task.what: ended.answer or "found"
        for ended in forked([nothing, broken], lambda m: loaded_anew(m, []), jobs, TIMEOUT_S)
    }
    if became[nothing.what] != "survived":
        raise SystemExit(f"the tests of {plans[0].area} on the real code: {became[nothing.what]}")
    if became[broken.what] != "found":
        raise SystemExit(f"the tests of {plans[0].area} pass without {file}: what is planted is not loaded")


def chosen(options: argparse.Namespace) -> tuple[dict[str, list[Plan]], int]:
    """What the command line asks for, by area, and how many are excluded."""
    if options.file:
        plans, left_out = listed(runpy.run_path(options.file)["FAULTS"]), 0
    else:
        by_operators, left_out = ([], 0) if options.lists else chosen_by_operators(options.all)
        if options.sample:
            by_operators = random.Random(0).sample(by_operators, min(options.sample, len(by_operators)))
        plans = [*listed(MISTAKES), *by_operators]
    areas: dict[str, list[Plan]] = {}
    for plan in plans:
        if options.only in plan.mutant.file:
            areas.setdefault(plan.area, []).append(plan)
    return areas, left_out


def main() -> int:
    """Runs them, prints survivors and the share that was found, and one JSON line last."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--all", action="store_true", help="the whole of the higher folders too")
    parser.add_argument("--lists", action="store_true", help="the lists of mistakes alone")
    parser.add_argument(
        "--sample", type=int, default=0, help="so many of the operators' mutants, drawn with seed 0; 0 takes all"
    )
    parser.add_argument("--file", help="a Python file whose FAULTS are planted instead: (file, right, wrong, name)")
    parser.add_argument("--only", default="", help="files whose name contains this")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    os.chdir(ROOT)
    end_forks_with_me()
    os.environ["HYPOTHESIS_PROFILE"] = "mutants"
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = "1"  # a fork of a process with BLAS threads would hang
    import hypothesis.extra.numpy  # noqa: F401 - loaded once, shared by all forks
    import numpy  # noqa: F401

    with tempfile.TemporaryDirectory(
        ignore_cleanup_errors=True
    ) as folder:  # tests that are loaded again are not compiled again
        sys.pycache_prefix, sys.dont_write_bytecode = folder, False
        return plant(options)


def plant(options: argparse.Namespace) -> int:
    """What the options ask for; the exit status."""
    areas, left_out = chosen(options)
    total, seconds = collections.Counter(), 0.0
    for area, plans in areas.items():
        check_itself(plans, options.jobs)
        here = collections.Counter()
        for plan, fate in fates(plans, options.jobs):
            m = plan.mutant
            here[fate.became] += 1
            seconds += fate.seconds
            if fate.became != "found":
                print(f"{fate.became}: {m.file}:{m.line}: {m.what}: {m.source}", flush=True)
        print(f"{area}: {len(plans) - here['survived']} of {len(plans)} found", flush=True)
        total += here
    survived, hung, count = total["survived"], total["out of time"], total.total()
    share = 1 - survived / max(1, count)
    print(
        f"{count} mutants, {survived} survived, {share:.1%} found ({hung} by running out of time), "
        f"{seconds / max(1, count):.2f} s of processor each; {left_out} excluded with a reason"
    )
    counts = {"mutants": count, "survived": survived, "out_of_time": hung, "excluded": left_out}
    print(json.dumps({**counts, "found": round(share, 4)}))
    return 0 if share >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
