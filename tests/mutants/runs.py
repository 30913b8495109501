"""What the tests of an area make of each mistake: first those that run the changed line, at last all of them.

The tests are loaded once an area. Each runs once on the real code, under a tracer. For a mistake the loaded process is
forked, the code of the changed function is exchanged in it, and the tests that run the changed line follow, the cheapest
first. What they do not find, and what cannot be put in so (a default, a decorator, all that ran while the package was
loaded), has a process in which everything is loaded anew; there all tests of the area run.
"""

from __future__ import annotations

import ast
import collections
import functools
import gc
import importlib.abc
import importlib.util
import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tqdm import tqdm

from tests.mutants.areas import OPTIONS, PACKAGE, TESTS
from tests.mutants.forks import REAL_STDERR, Ended, end_forks_with_me, forked, limit
from tests.mutants.swap import Swap, loaded
from tests.mutants.trace import Line, Tracer
from tinygrad_llm.course.exercises.operators import Mutant

TIMEOUT_S = 60
"""Of processor time, for all tests of an area. A mutant that sleeps for ever has ten times that."""
AT_FIRST = 40
"""So many tests, of so few files, run before the whole where all is loaded anew."""
FILES_AT_FIRST = 6


@dataclass(frozen=True)
class Plan:
    """A mistake, and the lines in which it stands."""

    mutant: Mutant
    lines: range

    @property
    def area(self) -> str:
        """The key of its tests."""
        return self.mutant.file.split("/")[0]


@dataclass
class Fate:
    """What became of a mistake, by which test, and after how much processor time."""

    number: int
    """Its place in the list of its area."""
    became: str
    """"found", "out of time", "survived"; before all tests have run "passed", or "reload" where it must be loaded."""
    by: str
    seconds: float
    first: list[str]
    """Tests to begin with where all is loaded anew."""


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


def fates(plans: list[Plan], jobs: int) -> Iterator[tuple[Plan, Fate]]:
    """What becomes of the mistakes of one area, as it is known."""
    (ended,) = forked([plans], lambda plans: _exchanged(plans, jobs), 1, 1e6)
    if not isinstance(ended.answer, list):
        raise SystemExit(f"the tests of {plans[0].area} on the real code: {ended.answer or 'see above'}")
    left = []
    for fate in ended.answer:
        if fate.became in ("found", "out of time"):
            yield plans[fate.number], fate
        else:
            left.append(fate)
    for ended in forked(left, lambda fate: loaded_anew(plans[fate.number].mutant, fate.first), jobs, TIMEOUT_S):
        fate = ended.task
        fate.became = "out of time" if ended.out_of_time else ended.answer or "found"  # without an answer: it crashed
        fate.by, fate.seconds = "all loaded anew", fate.seconds + ended.seconds
        yield plans[fate.number], fate


def loaded_anew(mutant: Mutant, first: list[str]) -> str:
    """The tests of its area with the mistake in the file that is loaded."""
    _forget_the_package()
    sys.meta_path.insert(0, Planted(mutant.file, mutant.text))
    for stage in filter(None, (first, TESTS[mutant.file.split("/")[0]])):
        if pytest.main([*OPTIONS, *stage]):
            return "found"
    return "survived"


def _forget_the_package() -> None:
    """What was imported to get here must be loaded anew."""
    tqdm.set_lock(threading.RLock())  # the parent's may have been held by another thread when this process was forked
    for name in [n for n in sys.modules if n.split(".")[0] == PACKAGE.name]:
        del sys.modules[name]


def _exchanged(plans: list[Plan], jobs: int) -> Any:
    """The fates as far as tests that are loaded once know them; or what is wrong with the real code, in words."""
    end_forks_with_me()
    _forget_the_package()
    area = Area(plans, jobs)
    area.tracer.start()
    pytest.main([*OPTIONS, "--capture=sys", *TESTS[plans[0].area]], plugins=[area])
    return area.wrong or area.known


class Area:
    """A plugin of pytest that runs the loaded tests in its own way."""

    def __init__(self, plans: list[Plan], jobs: int) -> None:
        self.plans, self.jobs = plans, jobs
        self.tracer = Tracer()
        self.shared: dict[str, tuple[float, set[Line]]] = {}
        """Fixtures that several tests share."""
        self.known: list[Fate] = []
        self.wrong = "they cannot be loaded"

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In place of pytest's own loop."""
        self.tracer.stop()
        if session.testsfailed:
            return True
        self.session, self.items = session, session.items
        self.ran = self.tracer.codes()
        self.functions = loaded()
        gc.freeze()  # the forks share it
        self.wrong = self._trace_all()
        if not self.wrong:
            self._check_itself()
            self._plant_all()
        return True

    def _run(self, numbers: list[int], then: int | None = None) -> int | None:
        """Runs some of the tests; the number of the first that fails."""
        for number, after in zip(numbers, [*numbers[1:], then]):
            item = self.items[number]
            if number in self.seconds:
                limit(5 + 20 * self.seconds[number])
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=None if after is None else self.items[after])
            if self.session.testsfailed:
                return number
        return None

    def _trace_all(self) -> str:
        """Which tests run which line, and how long they take; in words what went wrong."""
        self.covering: dict[Line, list[int]] = {}
        self.seconds: dict[int, float] = {}
        files: dict[Path, list[int]] = {}
        for number, item in enumerate(self.items):
            files.setdefault(item.path, []).append(number)
        for ended in forked(sorted(files.values(), key=len, reverse=True), self._traced, self.jobs, 20 * TIMEOUT_S):
            if not ended.answer:
                return f"{self.items[ended.task[0]].path} cannot be traced"
            for number, (seconds, lines, passed) in ended.answer.items():
                self.seconds[number] = seconds
                if not passed:
                    os.write(REAL_STDERR, f"not used alone: {self.items[number].nodeid} fails so\n".encode())
                    continue
                for line in lines:
                    self.covering.setdefault(line, []).append(number)
        return ""

    def _traced(self, numbers: list[int]) -> dict[int, tuple[float, set[Line], bool]]:
        """The tests of a file, from the last to the first: one that leans on those before it is not used alone."""
        found = {}
        for number, after in zip(numbers[::-1], [*numbers[-2::-1], None]):
            self.tracer.taken()
            started = time.process_time()
            self.tracer.start()
            failed = self._run([number], after)
            self.tracer.stop()
            seconds, lines = time.process_time() - started, self.tracer.taken()
            for name in self.items[number].fixturenames:
                of_fixture, in_fixture = self.shared.get(name, (0.0, set()))
                seconds, lines = seconds + of_fixture, lines | in_fixture
            found[number] = seconds, lines, failed is None
            self.session.testsfailed = 0
        return found

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef) -> Any:
        """What is made once for several tests belongs to each of them."""
        if fixturedef.scope == "function":
            return (yield)
        started, before = time.process_time(), self.tracer.taken()
        try:
            return (yield)
        finally:
            self.shared[fixturedef.argname] = time.process_time() - started, self.tracer.taken() | before

    def _check_itself(self) -> None:
        """A function that is exchanged for one that raises must be noticed."""
        for plan in self.plans:
            ended = self._raising(plan)
            if ended.answer and ended.answer[0] == "passed":
                self.wrong = f"pass where {plan.mutant.file}:{enclosing(plan).start} raises: it is not exchanged"
            if not ended.answer or ended.answer[0] != "reload":
                break

    def _raising(self, plan: Plan) -> Ended:
        """The same tests, where the whole function around the mistake raises."""
        tree = ast.parse((PACKAGE / plan.mutant.file).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.lineno == enclosing(plan).start:
                node.body = ast.parse("raise RuntimeError('planted')").body
        mutant = Mutant(plan.mutant.file, 0, "raises", "", ast.unparse(ast.fix_missing_locations(tree)))
        (ended,) = forked([Plan(mutant, plan.lines)], lambda p: self._plant(p, list(self._tests(p))), 1, TIMEOUT_S)
        return ended

    def _plant_all(self) -> None:
        """In forks, the tests that run the changed lines."""
        found_by: dict[tuple[str, range], int] = {}
        orders: dict[int, list[int]] = {}

        def in_order() -> Iterator[int]:
            for number, plan in enumerate(tqdm(self.plans, self.plans[0].area, mininterval=10, file=progress)):
                last = found_by.get((plan.mutant.file, enclosing(plan)))  # it is likely to find its neighbour
                orders[number] = self._ordered(self._tests(plan), last)
                yield number

        with open(REAL_STDERR, "w", closefd=False) as progress:
            for ended in forked(in_order(), lambda n: self._plant(self.plans[n], orders[n]), self.jobs, TIMEOUT_S):
                plan, order = self.plans[ended.task], orders.pop(ended.task)
                became, test = ended.answer or ("passed", None)  # a crash is looked at elsewhere
                if test is not None:
                    found_by[plan.mutant.file, enclosing(plan)] = test
                by = "" if test is None else self.items[test].nodeid
                first = self._first(order) if became == "reload" else []
                became = "out of time" if ended.out_of_time else became
                self.known.append(Fate(ended.task, became, by, ended.seconds, first))

    def _plant(self, plan: Plan, order: list[int]) -> tuple[str, int | None]:
        mutant = plan.mutant
        swap = Swap(mutant.file, mutant.text, self.functions.get(mutant.file, []), self.ran)
        if not swap.possible:
            return "reload", None
        swap.do()
        number = self._run(order)
        return ("passed", None) if number is None else ("found", number)

    def _tests(self, plan: Plan) -> set[int]:
        """Those that run the lines; where none is known to, those that run the function, or the file."""
        file = plan.mutant.file
        for lines in (plan.lines, enclosing(plan)):
            if found := {test for line in lines for test in self.covering.get((file, line), ())}:
                return found
        return {test for (where, _), tests in self.covering.items() if where == file for test in tests}

    def _ordered(self, tests: set[int], last: int | None) -> list[int]:
        """The cheap before the dear, and of the many cases of one test a few before the others."""
        cost, cases = {}, collections.Counter()
        for test in sorted(tests, key=self.seconds.__getitem__):
            name = self.items[test].nodeid.split("[")[0]
            cases[name] += 1
            cost[test] = cases[name] * self.seconds[test] if test != last else 0
        return sorted(tests, key=cost.__getitem__)

    def _first(self, order: list[int]) -> list[str]:
        """A few tests of few files."""
        files = list(dict.fromkeys(self.items[n].path for n in order))[:FILES_AT_FIRST]
        return [self.items[n].nodeid for n in order if self.items[n].path in files][:AT_FIRST]


def enclosing(plan: Plan) -> range:
    """The lines of the innermost function around the mistake, or its own."""
    return min((f for f in _functions(plan.mutant.file) if plan.lines[0] in f), key=len, default=plan.lines)


@functools.cache
def _functions(file: str) -> list[range]:
    nodes = ast.walk(ast.parse((PACKAGE / file).read_text(encoding="utf-8")))
    return [range(n.lineno, (n.end_lineno or 0) + 1) for n in nodes if isinstance(n, ast.FunctionDef)]
