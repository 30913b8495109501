"""`make mutants`: plants mistakes one at a time, and counts those that the tests find.

    python -m tests.mutants [--all] [--sample N] [--only TEXT] [--lists] [--jobs 2]

The operators of `course/exercises/operators.py` over every operation, module and optimizer and the tape, over a part of
each higher folder (`--all`: over the whole of it), and the lists of `mistakes/`. Each mutant runs in a fork that loads the mutated file in place of the real one and runs the tests that stand for it, the likeliest
first. A mutant that makes the tests hang is found too, and listed, for a suite that is merely too slow would look the same.
Survivors are listed; `excluded.py` says which cannot be told apart.
"""

from __future__ import annotations

import argparse
import ast
import collections
import concurrent.futures
import importlib.abc
import importlib.util
import io
import json
import os
import random
import signal
import sys
import threading
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from tqdm import tqdm

from tests.mutants.excluded import reason
from tests.mutants.mistakes import MISTAKES
from tinygrad_llm.course.exercises.operators import Mutant, mutants

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "tinygrad_llm"
WHOLE = ("ops", "nn", "optim", "autograd")
IN_PART = ("tokenizer", "datasets", "models", "train", "generate", "evaluate")
PART = 50
"""So many of the operators' mutants are drawn of a folder that is taken in part, always the same."""
TIMEOUT_S = 60
"""Of processor time: a busy machine finds no more than an idle one. A mutant that sleeps for ever has ten times that."""
GOAL = 0.99

TESTS = {
    "ops": [
        "tests/ops/test_every_option.py",
        "tests/ops/test_loss_options.py",
        "tests/ops/test_precision.py",
        "tests/ops/test_attention_arguments.py",
        "tests/ops/test_bfloat16.py",
        "tests/ops/test_picking.py",
        "tests/ops/test_each_equation.py",
        "tests/ops/test_einsum.py",
        "tests/ops/test_edges.py",
        "tests/ops/test_fused.py",
        "tests/ops/test_ops.py",
        "tests/ops/test_errors.py",
        "tests/ops/test_attention_options.py",
        "tests/ops/test_attention_blocks.py",
        "tests/ops/test_joint_linear.py",
        "tests/autograd/test_backward.py",
    ],
    "autograd": [
        "tests/autograd",
        "tests/train/test_steps.py",
        "tests/ops/test_bfloat16.py",
        "tests/ops/test_ops.py",
        "tests/ops/test_edges.py",
    ],
    "nn": ["tests/nn", "tests/models/test_gpt.py", "tests/models/test_llama.py"],
    "optim": ["tests/optim", "tests/train/test_steps.py"],
    "models": ["tests/models", "tests/nn"],
    "generate": ["tests/generate/test_exact_draws.py", "tests/generate/test_what_is_drawn.py", "tests/generate"],
    "tokenizer": ["tests/tokenizer"],
    "datasets": ["tests/datasets/test_batches.py", "tests/datasets/test_text.py", "tests/datasets"],
    "evaluate": ["tests/evaluate"],
    "train": [
        "tests/train/test_by_hand.py",
        "tests/train/test_folder.py",
        "tests/train/test_settings.py",
        "tests/train",
    ],
    "cli": [
        "tests/cli/test_commands.py",
        "tests/cli/test_flags_reach.py",
        "tests/cli/test_cli.py",
        "tests/cli/test_flags.py",
        "tests/cli/test_train_and_eval.py",
        "tests/cli/test_runs.py",
    ],
    "course": [
        "tests/course/test_what_is_said.py",
        "tests/course/test_what_is_kept.py",
        "tests/course/test_claim.py",
        "tests/course/test_calls.py",
        "tests/course/test_checks_in_a_fork.py",
        "tests/course/test_desk.py",
        "tests/course/test_record.py",
        "tests/course/test_keys.py",
        "tests/course/test_proofs.py::test_an_exercise_is_proved_anew_when_something_of_its_own_changes",
        "tests/course/test_proofs.py::test_the_command_proves_what_is_named_or_all_or_a_sample",
    ],
    "visualize": ["tests/visualize"],
    "backend": [
        "tests/backend/test_backend.py",
        "tests/ops/test_bfloat16.py",
        "tests/ops/test_joint_linear.py",
        "tests/ops/test_precision.py",
        "tests/ops/test_long_sums.py",
        "tests/backend/test_threads.py",
        "tests/ops/test_arrays.py",
    ],
    "ranges.py": ["tests/test_ranges.py"],
    "shapes.py": ["tests/test_shapes_and_errors.py"],
    "errors.py": ["tests/test_shapes_and_errors.py"],
    "files.py": ["tests/test_files.py"],
}


class Planted(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads the mutated text where the real file is asked for."""

    def __init__(self, file: str, text: str) -> None:
        self.name = "tinygrad_llm." + file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        self.path, self.text = str(PACKAGE / file), text

    def find_spec(self, name, path=None, target=None):
        if name != self.name:
            return None
        inside = [str(Path(self.path).parent)] if self.path.endswith("__init__.py") else None  # a package has modules
        return importlib.util.spec_from_file_location(name, self.path, loader=self, submodule_search_locations=inside)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(compile(self.text, self.path, "exec"), module.__dict__)


def fate(mutant: Mutant) -> str:
    """What the tests of the mutated file make of it, run in a fork: "survived", "found", or "out of time"."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        signal.setitimer(signal.ITIMER_PROF, TIMEOUT_S)
        signal.alarm(10 * TIMEOUT_S)
        status = 1
        try:
            status = _run_tests(mutant)
        finally:
            os.write(write, b"s" if status == 0 else b"k")
            os._exit(0)
    os.close(write)
    ended_by = os.WTERMSIG(os.waitpid(child, 0)[1])
    answer = os.read(read, 1)
    os.close(read)
    if ended_by in (signal.SIGPROF, signal.SIGALRM):
        return "out of time"
    return "survived" if answer == b"s" else "found"


def _run_tests(mutant: Mutant) -> int:
    """The tests named after the mutated functions first, then all that stand for the file: most mutants die early."""
    import pytest

    tqdm.set_lock(threading.RLock())  # the parent's may have been held by another thread when this process was forked
    for name in [n for n in sys.modules if n.split(".")[0] == PACKAGE.name]:
        del sys.modules[name]  # what was imported to get here must be loaded anew, with the mistake in it
    sys.meta_path.insert(0, Planted(mutant.file, mutant.text))
    options = ["-x", "-q", "-p", "no:cacheprovider", "-m", "not long and not gpu and not oracle", "--no-header"]
    options += [
        "--deselect",
        "tests/autograd/test_backward.py::test_a_chain_of_a_hundred_thousand_is_no_problem",
    ]  # slow
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # hypothesis was loaded before the fork
    paths = TESTS[mutant.file.split("/")[0]]
    stages = [paths]
    if mutant.file.startswith("ops/") and mutant.file != "ops/composed.py":
        tree = ast.parse((PACKAGE / mutant.file).read_text(encoding="utf-8"))
        names = [n.name for n in tree.body if isinstance(n, ast.FunctionDef) and not n.name.startswith("_")]
        stages.insert(0, ["tests/ops/test_ops.py", "-k", " or ".join(f"dtype[{name}" for name in names)])
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        for stage in stages:
            status = int(pytest.main([*options, *stage]))
            if status not in (0, 5):  # 5: no test of that name
                return status
    return 0


def listed() -> list[Mutant]:
    """The lists as mutants.  A mistake whose right form is no longer in the file is an error of its list."""
    found = []
    for file, right, wrong, name in MISTAKES:
        text = (PACKAGE / file).read_text(encoding="utf-8")
        if right not in text:
            raise SystemExit(f"{name}: {file} no longer holds {right!r}")
        line = text[: text.index(right)].count("\n") + 1
        found.append(Mutant(file, line, name, right.strip().splitlines()[0], text.replace(right, wrong)))
    return found


def made(folder: str) -> tuple[list[Mutant], int]:
    """Those that the operators make in a folder and that are not excluded, and how many are."""
    kept, left_out = [], 0
    for path in sorted((PACKAGE / folder).glob("*.py")):
        file = path.relative_to(PACKAGE).as_posix()
        for mutant in mutants(file, path.read_text(encoding="utf-8")):
            if reason(file, mutant.source, mutant.what):
                left_out += 1
            else:
                kept.append(mutant)
    return kept, left_out


def chosen_by_operators(whole: bool) -> tuple[list[Mutant], int]:
    """Those of all folders; of the higher ones a part, unless the whole is asked for."""
    chosen, left_out = [], 0
    for folder in (*WHOLE, *IN_PART):
        kept, left = made(folder)
        if folder in IN_PART and not whole:
            kept = random.Random(folder).sample(kept, min(PART, len(kept)))
        chosen, left_out = chosen + kept, left_out + left
    return chosen, left_out


def check_itself(chosen: list[Mutant]) -> None:
    """A check that cannot pass would find every mutant; one whose mistakes are never loaded, none."""
    for folder in sorted({m.file.split("/")[0] for m in chosen}):
        file = next(m.file for m in chosen if m.file.startswith(folder))
        real = fate(Mutant(file, 0, "nothing", "", (PACKAGE / file).read_text(encoding="utf-8")))
        if real != "survived":
            raise SystemExit(f"the tests of {folder} on the real code: {real}")
        if fate(Mutant(file, 0, "a file that cannot be loaded", "", "raise RuntimeError")) != "found":
            raise SystemExit(f"the tests of {folder} pass without {file}: what is planted is not loaded")


def main() -> int:
    """Runs them, prints survivors and the share that was found, and one JSON line last."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--all", action="store_true", help="the whole of the higher folders too")
    parser.add_argument("--lists", action="store_true", help="the lists of mistakes alone")
    parser.add_argument(
        "--sample", type=int, default=0, help="so many of the operators' mutants, drawn with seed 0; 0 takes all"
    )
    parser.add_argument("--only", default="", help="files whose name contains this")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    os.chdir(ROOT)
    os.environ["HYPOTHESIS_PROFILE"] = "mutants"
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = "1"  # a fork of a process with BLAS threads would hang
    import hypothesis.extra.numpy  # noqa: F401 - loaded once, shared by all forks
    import numpy  # noqa: F401
    import pytest  # noqa: F401

    by_operators, left_out = ([], 0) if options.lists else chosen_by_operators(options.all)
    if options.sample:
        by_operators = random.Random(0).sample(by_operators, min(options.sample, len(by_operators)))
    chosen = [m for m in [*listed(), *by_operators] if options.only in m.file]
    check_itself(chosen)
    fates = collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        progress = tqdm(zip(chosen, pool.map(fate, chosen)), total=len(chosen), unit="mutant", mininterval=10)
        for m, became in progress:
            fates[became] += 1
            if became != "found":
                print(f"{became}: {m.file}:{m.line}: {m.what}: {m.source}", flush=True)
    survived, hung = fates["survived"], fates["out of time"]
    share = 1 - survived / max(1, len(chosen))
    print(
        f"{len(chosen)} mutants, {survived} survived, {share:.1%} found ({hung} by running out of time); "
        f"{left_out} excluded with a reason"
    )
    counts = {"mutants": len(chosen), "survived": survived, "out_of_time": hung, "excluded": left_out}
    print(json.dumps({**counts, "found": round(share, 4)}))
    return 0 if share >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
