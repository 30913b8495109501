"""The stand-in for CuPy offers nothing that CuPy lacks, and refuses what a GPU would not forgive."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

STANDIN = Path(__file__).parents[1] / "standin"


def in_the_standin(script: str) -> str:
    """Runs a script, seen as part of no test, in a process where `cupy` is the stand-in."""
    prepared = (
        "from installed import install\ninstall()\nimport cupy, numpy as np\nfrom cupy._state import STATE\n" + script
    )
    path = os.pathsep.join([str(STANDIN), str(STANDIN.parent), str(STANDIN.parents[1])])
    done = subprocess.run(
        [sys.executable, "-c", prepared], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def raises(expression: str) -> str:
    """The error of one statement, as NAME: TEXT."""
    return in_the_standin(
        f"try:\n    {expression}\nexcept Exception as error:\n    print(type(error).__name__, error, sep=': ')\n"
        "else:\n    print('nothing')"
    )


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("np.asarray(cupy.zeros(3))", "TypeError: Implicit conversion"),
        ("np.exp(cupy.zeros(3))", "TypeError: numpy.exp"),
        ("np.concatenate([cupy.zeros(3), cupy.zeros(3)])", "TypeError: numpy.concatenate"),
        ("cupy.zeros(3) + np.zeros(3)", "TypeError: add: Unsupported type <class 'numpy.ndarray'>"),
        ("np.zeros(3) * cupy.zeros(3)", "TypeError: numpy.multiply"),
        ("cupy.add(cupy.zeros(3), [1, 2, 3])", "TypeError: add: Unsupported type <class 'list'>"),
        ("cupy.zeros(3)[[0, 1]]", "TypeError: a list as an index"),
        ("cupy.zeros(3)[cupy.asarray(np.array([0, 0]))] = 1.0", "AssertionError: an assignment to one place twice"),
        ("cupy.zeros(3, np.float32).max(initial=0)", "TypeError"),
        ("cupy.add(cupy.zeros(3), 1, out=cupy.zeros(4))", "AssertionError: out of shape"),
        ("cupy.unique(cupy.zeros(3))", "AttributeError"),
        ("cupy.zeros((2, 3)).no_such_method()", "AttributeError"),
    ],
)
def test_what_a_gpu_would_refuse_fails(statement, error):
    assert raises(statement).startswith(error)


def test_what_nobody_has_written_is_no_number():
    assert in_the_standin("print(bool(np.isnan(cupy.empty((2, 3)).get()).all()))") == "True"


def test_a_sum_is_an_array_without_axes_and_positions_outside_wrap():
    script = "x = cupy.arange(3.0)\nprint(type(x.sum()).__name__, x.sum().shape, x[cupy.asarray(np.array([4]))].get())"
    assert in_the_standin(script) == "ndarray () [1.]"


@pytest.mark.parametrize(
    "statement",
    [
        "x.item()",
        "float(x.sum())",
        "bool(x.any())",
        "x.get()",
        "repr(x)",
        "x[x > 0]",
        "cupy.cuda.Device().synchronize()",
    ],
)
def test_whatever_waits_is_counted(statement):
    assert in_the_standin(f"x = cupy.ones(1)\nassert not STATE.waits()\n{statement}\nprint(STATE.waits())") == "1"


def test_a_recorded_graph_runs_when_it_is_replayed_and_only_then():
    script = """
stream = cupy.cuda.Stream(non_blocking=True)
x, y = cupy.zeros(2), cupy.zeros(2)
with stream:
    stream.begin_capture()
    x += 1
    z = x * 2
    y[...] = z
    graph = stream.end_capture()
    assert x._a.sum() == 0 and y._a.sum() == 0 and np.isnan(z._a).all()
    graph.launch(); graph.launch()
print(x._a, y._a)"""
    assert in_the_standin(script) == "[2. 2.] [4. 4.]"


@pytest.mark.parametrize("statement", ["float(x)", "cupy.asarray(np.zeros(2))", "x.get()"])
def test_what_cannot_be_recorded_raises(statement):
    script = (
        "stream = cupy.cuda.Stream(non_blocking=True)\nx = cupy.ones(1)\nwith stream:\n    stream.begin_capture()\n"
    )
    script += f"    try:\n        {statement}\n    except RuntimeError as error:\n        print(error)"
    assert in_the_standin(script).startswith("cudaErrorStreamCaptureUnsupported")


def test_a_recording_that_was_spoilt_is_over_only_when_it_is_ended():
    script = """
stream = cupy.cuda.Stream(non_blocking=True)
x = cupy.ones(1)
def attempt(name, what):
    try:
        what()
    except RuntimeError as error:
        print(name, str(error).split(":")[0].split(",")[0])
with stream:
    stream.begin_capture()
    attempt("wait", x.get)
    attempt("work", lambda: x.fill(2))
    attempt("ask", stream.is_capturing)
    attempt("end", stream.end_capture)
    x.fill(3)
    print(stream.is_capturing(), x.get()[0])"""
    assert in_the_standin(script).splitlines() == [
        "wait cudaErrorStreamCaptureUnsupported",
        "work cudaErrorStreamCaptureInvalidated",
        "ask the stream was capturing",
        "end cudaErrorStreamCaptureInvalidated",
        "False 3.0",
    ]


def test_a_pool_counts_what_lives_and_the_most_there_was():
    script = """
pool = cupy.get_default_memory_pool()
x = cupy.zeros(100, np.float32)
y = x[10:].view(np.int32)
pool.free_all_blocks()
before = pool.used_bytes(), pool.total_bytes()
z = x + 1
del x, z
print(*before, pool.used_bytes(), pool.total_bytes(), y.dtype)
del y
print(pool.used_bytes())"""
    assert in_the_standin(script).split() == ["400", "400", "400", "800", "int32", "0"]


def test_where_nobody_may_wait_waiting_raises():
    script = """
import cupyx, warnings
x = cupy.ones(1)
start, end = cupy.cuda.Event(), cupy.cuda.Event()
with warnings.catch_warnings(), cupyx.allow_synchronize(False):
    start.record()
    x += 1
    end.record()
    for what in (x.get, end.synchronize):
        try:
            what()
        except cupyx.DeviceSynchronized as error:
            print(error)
end.synchronize()
print(cupy.cuda.get_elapsed_time(start, end) > 0, x.get()[0])"""
    expected = ["get waits for the GPU", "event.synchronize waits for the GPU", "True 2.0"]
    assert in_the_standin(script).splitlines() == expected


def test_pinned_memory_may_not_be_written_before_its_copy_is_done():
    script = """
from tinygrad_llm.backend.stream import PinnedRing
target = cupy.zeros(4)
ring = PinnedRing(1, {"x": target})
ring.upload(0, {"x": np.arange(4.0)})
ring.upload(0, {"x": np.ones(4)})
try:
    target.get()
except AssertionError as error:
    print(error)"""
    assert in_the_standin(script).startswith("pinned memory was written again")


@pytest.mark.parametrize(
    ("expression", "dtype"),
    [
        ("0.5 * x", "float32"),
        ("x - 0.5", "float32"),
        ("cupy.maximum(x, -1.1)", "float32"),
        ("1 - x", "bfloat16"),
        ("cupy.maximum(x, 0)", "bfloat16"),
        ("x * (x > 0)", "bfloat16"),
        ("x + x", "bfloat16"),
        ("cupy.tanh(x)", "bfloat16"),
        ("x + x.astype(np.float32)", "float32"),
        ("x * cupy.arange(3)", "float64"),
        ("x > 0.5", "bool"),
        ("x.__iadd__(0.5)", "bfloat16"),
        ("cupy.where(x > 0, x, x)", "float32"),
    ],
)
def test_a_python_float_widens_bfloat16_and_an_int_does_not(expression, dtype):
    """As measured on a GPU, CuPy 14.2."""
    pytest.importorskip("ml_dtypes")
    script = f"import ml_dtypes\nx = cupy.ones(3, ml_dtypes.bfloat16)\nprint(({expression}).dtype)"
    assert in_the_standin(script) == dtype


def test_no_running_sum_is_of_bfloat16():
    pytest.importorskip("ml_dtypes")
    assert raises("import ml_dtypes; cupy.cumsum(cupy.ones(3, ml_dtypes.bfloat16))").startswith("TypeError: NVRTC")


def test_the_same_ufuncs_know_bfloat16_as_in_cupy():
    cupy = pytest.importorskip("cupy", reason="CuPy itself is needed, though no GPU")
    if cupy.__version__ == "stand-in":
        pytest.skip("the stand-in itself runs this")
    lists = in_the_standin(
        "from cupy._functions import _UFUNCS\nfrom cupy._loops import WITHOUT_BFLOAT16\n"
        "print(*_UFUNCS)\nprint(*WITHOUT_BFLOAT16)"
    )
    ufuncs, without = (line.split() for line in lists.splitlines())
    for name in ufuncs:
        known = any(loop.startswith("E") and len(set(loop) & set("ED")) == 1 for loop in getattr(cupy, name).types)
        assert known == (name not in without), name


def public_names(module) -> list[str]:
    return [name for name in vars(module) if not name.startswith("_")]


def test_it_offers_nothing_that_cupy_lacks():
    cupy = pytest.importorskip("cupy", reason="CuPy itself is needed, though no GPU")
    if cupy.__version__ == "stand-in":
        pytest.skip("the stand-in itself runs this")
    names = in_the_standin("print(*[n for n in vars(cupy) if n[0] != '_'])").split()
    missing = [n for n in names if not hasattr(cupy, n)]
    methods = in_the_standin(
        "print(*[n for n in vars(cupy.ndarray) if n not in ('_a', '_index', '__weakref__', '__del__')])"
    ).split()
    missing += [f"ndarray.{n}" for n in methods if not hasattr(cupy.ndarray, n)]
    cuda = in_the_standin("print(*[n for n in vars(cupy.cuda.Stream) if not n.startswith('_')])").split()
    own = {"null", "ptr", "before", "current"}
    missing += [f"Stream.{n}" for n in cuda if n not in own and not hasattr(cupy.cuda.Stream, n)]
    assert not missing


def test_its_methods_take_what_cupys_take():
    cupy = pytest.importorskip("cupy", reason="CuPy itself is needed, though no GPU")
    if cupy.__version__ == "stand-in":
        pytest.skip("the stand-in itself runs this")
    script = "import inspect\nfor n in ('sum mean var std max min any all argmax argmin cumsum astype copy').split():\n"
    script += "    print(n, *list(inspect.signature(getattr(cupy.ndarray, n)).parameters)[1:])"
    for line in in_the_standin(script).splitlines():
        name, *parameters = line.split()
        first = getattr(cupy.ndarray, name).__doc__.splitlines()[0]
        theirs = [part.split("=")[0].split()[-1] for part in re.search(r"\((.*?)\)", first)[1].split(",")[1:]]
        assert parameters == theirs, name
    script = "import inspect\nfor n in ('asarray concatenate stack split pad where take_along_axis put_along_axis tril triu clip "
    script += "repeat empty_like zeros_like arange copyto bincount').split():\n"
    script += "    print(n, *inspect.signature(getattr(cupy, n)).parameters)"
    for line in in_the_standin(script).splitlines():
        name, *parameters = line.split()
        assert parameters == list(inspect.signature(getattr(cupy, name)).parameters), name
