"""Tests for a real GPU: `make test-gpu`.

    PYTHONPATH=. python3 -m pytest -m gpu tests/gpu                          # where there is one
    PYTHONPATH=tests/standin:. python -m pytest -p plugin -m gpu tests/gpu   # on the stand-in, at small sizes

Where no GPU can be used they are skipped, with the reason. On the stand-in they are known to work themselves: what it
cannot show (CuPy's own kernels, tensor cores, streams, time) is what they are for.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

MISSING = [name for name in ("tqdm", "safetensors", "regex", "threadpoolctl") if find_spec(name) is None]
if MISSING:
    raise pytest.UsageError(f"{sys.executable} lacks what a training run needs: pip install {' '.join(MISSING)}")

from tinygrad_llm.autograd import tensor  # noqa: E402
from tinygrad_llm.backend import as_array  # noqa: E402
from tinygrad_llm.backend.cuda import cuda_problem, load_cupy  # noqa: E402
from tinygrad_llm.backend.stream import own_stream  # noqa: E402

HERE = Path(__file__).parent


class FailuresAsTheyCome:
    """Prints each failure at once: a run that is cut short has told what it found. Under xdist the parent prints."""

    def __init__(self, terminal) -> None:
        self.terminal = terminal

    def pytest_runtest_logreport(self, report):
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            reason = crash.message if crash is not None else str(report.longrepr)
            lines = reason.strip().splitlines() or [""]
            self.terminal.write_line(f"\nFAILED {report.nodeid}: {' '.join(lines[:3])[:400]}")


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    """On a worker there is no terminal, and nothing to print."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None:
        config.pluginmanager.register(FailuresAsTheyCome(terminal))


def pytest_collection_modifyitems(items):
    """A warning stops nothing here: a machine with a GPU has other versions of NumPy and CuPy than the plain suite."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("default"))


@pytest.fixture(scope="session", autouse=True)
def cupy():
    """CuPy, or the stand-in."""
    problem = cuda_problem()
    if problem is not None:
        pytest.skip(str(problem))
    return load_cupy()


@pytest.fixture(scope="session")
def on_standin(cupy) -> bool:
    """Whether the kernels run on the CPU, a thousand times slower: small sizes are enough then."""
    return cupy.__version__ == "stand-in"


@pytest.fixture(scope="session")
def real_gpu(on_standin) -> None:
    """For what the stand-in cannot show."""
    if on_standin:
        pytest.skip("a real GPU is needed: the stand-in does everything at once, on the CPU")


@pytest.fixture(scope="session")
def tensor_cores(cupy) -> None:
    """For bfloat16 and TF32."""
    from tinygrad_llm.backend.cuda import BFLOAT16_FROM, compute_capability

    if compute_capability() < BFLOAT16_FROM:
        pytest.skip(f"sm_{compute_capability()}: bfloat16 and TF32 need sm_{BFLOAT16_FROM}")


@pytest.fixture(autouse=True)
def tensors_stay_where_they_are_made(monkeypatch):
    """The stand-in's plugin sends every tensor to the GPU; here the CPU's are compared with the GPU's."""
    monkeypatch.setattr(tensor, "as_array", as_array)


@pytest.fixture(autouse=True)
def memory_is_given_back(cupy):
    """One test's arrays are no burden to the next."""
    yield
    if cupy is not None and "cupy" in sys.modules:
        cupy.get_default_memory_pool().free_all_blocks()


@pytest.fixture
def stream(cupy):
    """A stream of the test's own, as a run has it."""
    with own_stream("cuda"):
        yield
