"""A GPU measured: its ceilings, kernels beside them, steps and decoding beside PyTorch's, memory beside what is told.

    python -m benchmarks.gpu [--save [FOLDER]] [--text FILE] [--parts kernels,nanogpt] [--budget 520]
    python -m benchmarks.gpu --smoke      # tiny sizes; on the tests' stand-in where there is no GPU

One command, under nine minutes on an H100 or H200. Each part is a process of its own with a time limit: what fails,
hangs or breaks the GPU's context there loses nothing of the others, and what it had printed until then stays. Times are
medians of CUDA events after a warm-up; who is compared takes turns. PyTorch's side needs torch with CUDA, the run to a
loss Shakespeare's text, from --text or $TINYGRAD_LLM_DATA/tinyshakespeare.txt. Prints tables, and one JSON line last.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PARTS = {
    "machine": 30, "ceilings": 60, "kernels": 120, "attention": 75, "nanogpt": 160, "gpt2": 180, "step": 60,
    "decode": 120, "memory": 45, "shakespeare": 150,
}  # fmt: skip
"""Each part's time limit in seconds; most need a third of it."""
LEAST_SECONDS = 12
"""With less left, a part is not begun."""
MARK = "\x1e"
"""Before a line that is not for people: what a part has found so far."""
NEEDED = ("numpy", "cupy", "ml_dtypes", "tqdm", "safetensors", "regex", "threadpoolctl")


# ---- the parent: one process a part ---------------------------------------------------------------------------------


def command_of(name: str, arguments: list[str], ceilings: dict) -> list[str]:
    """How a part is started."""
    own = ["--part", name, "--ceilings", json.dumps(ceilings)]
    return [sys.executable, "-u", "-m", "benchmarks.gpu", *own, *arguments]


def run_part(name: str, seconds: float, arguments: list[str], ceilings: dict) -> dict[str, Any]:
    """What the part found, as far as it came; its other lines are passed on as they come."""
    start, found, stopped = time.perf_counter(), {}, threading.Event()
    options: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "cwd": HERE.parent}
    with subprocess.Popen(command_of(name, arguments, ceilings), start_new_session=True, **options) as child:

        def stop() -> None:
            stopped.set()
            with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
                os.killpg(child.pid, signal.SIGKILL)  # the part's own group: compilers that it started among them

        timer = threading.Timer(seconds, stop)
        timer.start()
        assert child.stdout
        try:
            for line in child.stdout:
                if line.startswith(MARK):
                    found = json.loads(line[1:])
                else:
                    print(line, end="", flush=True)
            code = child.wait()
        except BaseException:
            stop()
            raise
        finally:
            timer.cancel()
    took = time.perf_counter() - start
    if stopped.is_set():
        found["error"] = f"stopped after {took:.0f} s"
    elif code:
        found.setdefault("error", f"exit code {code}")
    if "error" in found:
        print(f"{name}: {found['error']}", flush=True)
    return found | {"seconds": round(took, 1)}


def parent(options: argparse.Namespace) -> None:
    """All parts, the table of each, and the one line."""
    start, results = time.perf_counter(), {}
    arguments = [*(["--smoke"] if options.smoke else []), *(["--text", str(options.text)] if options.text else [])]
    for name in options.parts.split(","):
        left = options.budget - (time.perf_counter() - start)
        print(f"\n== {name}", flush=True)
        if left < LEAST_SECONDS:
            results[name] = {"skipped": f"{left:.0f} s of {options.budget} are left"}
            print(results[name]["skipped"])
            continue
        ceilings = results.get("ceilings", {})
        results[name] = run_part(name, min(PARTS[name], left), arguments, ceilings)
        if options.save:
            save(options.save, results)
    results["seconds"] = round(time.perf_counter() - start, 1)
    if options.save:
        print(f"saved as {save(options.save, results)}")
    print(json.dumps(results))


def save(folder: Path, results: dict) -> Path:
    """Writes what there is so far to gpu-DATE-NAME.json."""
    name = results.get("machine", {}).get("name", "unknown")
    slug = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"gpu-{date.today().isoformat()}-{slug}.json"
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return path


# ---- a part, in its own process -------------------------------------------------------------------------------------


def child(options: argparse.Namespace) -> None:
    """One part. An error is printed, and what was found before it is kept."""
    prepare(options.smoke)
    from benchmarks import gpu_parts

    found: dict[str, Any] = {}

    def tell(**more: Any) -> None:
        found.update(more)
        print(MARK + json.dumps(found), flush=True)

    setting = gpu_parts.Setting(tell, options.smoke, options.ceilings, options.text)
    try:
        getattr(gpu_parts, options.part)(setting)
    except Exception as error:
        gpu_parts.complain(options.part, error)
        tell(error=f"{type(error).__name__}: {error}")


def prepare(smoke: bool) -> None:
    """The stand-in where that is wanted and there is no GPU; else a GPU, or the reason why not."""
    if smoke and not has_driver():
        sys.path.insert(0, str(HERE.parent / "tests" / "standin"))
        from installed import install

        install()
        return
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise SystemExit(f'{sys.executable} lacks {", ".join(missing)}: pip install -e ".[cuda13]"')
    from tinygrad_llm.backend.cuda import cuda_problem

    problem = cuda_problem()
    if problem is not None:
        raise SystemExit(str(problem))


def has_driver() -> bool:
    """Whether CUDA's driver is here and sees a GPU; asked without CuPy, of which one process can have only one kind."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int(0)
    return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0


def main(arguments: list[str] | None = None) -> None:
    """Reads the flags."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--parts", default=",".join(PARTS), help="which, in this order")
    parser.add_argument("--budget", type=float, default=520, help="seconds for all parts")
    parser.add_argument("--save", type=Path, nargs="?", const=HERE / "results", help="writes gpu-DATE-NAME.json there")
    parser.add_argument("--text", type=Path, help="what the run to a loss learns from")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes; on the stand-in where there is no GPU")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--ceilings", type=json.loads, default={}, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    unknown = set(options.parts.split(",")) - set(PARTS)
    if unknown:
        parser.error(f"unknown parts: {', '.join(sorted(unknown))}")
    if options.part:
        child(options)
    else:
        parent(options)


if __name__ == "__main__":
    main()
