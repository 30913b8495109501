"""How long `import tinygrad_llm` takes in a fresh process, beside NumPy alone.

    python -m benchmarks.import_time [--rounds 9]

Prints the medians, and one JSON line last.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys


def milliseconds(module: str) -> float:
    """The cumulative time that `python -X importtime` reports for a module."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", f"import {module}"], capture_output=True, text=True, check=True
    )
    found = re.search(rf"\|\s+(\d+) \| {module}$", done.stderr, re.MULTILINE)
    assert found, done.stderr
    return int(found[1]) / 1000


def main() -> None:
    """Measures in turns, and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    times = [(milliseconds("tinygrad_llm"), milliseconds("numpy")) for _ in range(rounds)]
    ours, numpy = (round(statistics.median(column), 1) for column in zip(*times))
    print(f"import tinygrad_llm {ours} ms, of which numpy {numpy} ms")
    print(json.dumps({"import_ms": ours, "numpy_ms": numpy}))


if __name__ == "__main__":
    main()
