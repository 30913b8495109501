"""Runs kernels under ThreadSanitizer or AddressSanitizer, in a program of their own.

A sanitizer must be in a process from its start, which Python is not. So the arrays and the launches are written to a
file; a program (program.h) that g++ has made with the sanitizer reads it, allocates each array at its exact size, runs
the launches and writes the arrays back.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from cuda_on_cpu.arguments import arguments, check_shared, launch_sizes
from cuda_on_cpu.build import available, build, kernel_types
from kernel_cases import Launch

OPTIONS = {
    "TSAN_OPTIONS": "halt_on_error=1 exitcode=66 report_thread_leaks=0",
    "ASAN_OPTIONS": "detect_stack_use_after_return=0 detect_leaks=0 exitcode=66",
    "UBSAN_OPTIONS": "halt_on_error=1 print_stacktrace=1 exitcode=66",
}
NO_RANDOM_ADDRESSES = 0x0040000
"""personality(2): ThreadSanitizer of GCC 12 and 13 cannot start where Linux draws addresses from 32 bits."""


class SanitizerError(AssertionError):
    """What a sanitizer has found; the message is its report. Lines are those of the text, called kernel.cu."""


class CannotStart(RuntimeError):
    """The sanitizer does not run on this machine; its message says why."""


def why_not(sanitizer: str) -> str | None:
    """Why a sanitizer cannot be used here, or None where it can."""
    if not available():
        return "g++ is not installed"
    nothing = [Launch("nothing", 1, 32, (np.int32(0),))]
    try:
        run_sanitized('extern "C" __global__ void nothing(int n) {}', nothing, sanitizer)
    except (RuntimeError, SanitizerError) as error:
        return str(error)
    return None


def run_sanitized(
    text: str, launches: Sequence[Launch], sanitizer: str, seconds: float = 300, copies_at_once: bool = False
) -> None:
    """Runs launches one after the other, and leaves the results in their arrays.

    sanitizer: "thread" or "address". copies_at_once: those that go on beside a thread do not wait until they are
    waited for. SanitizerError with the report; the same errors as `Compiled.launch` before that.
    """
    made = build(text, sanitize=sanitizer)
    types = kernel_types(made)
    arrays: dict[tuple[int, int], tuple[int, np.ndarray]] = {}
    body = b"".join(_launch(types[launch.kernel], launch, arrays) for launch in launches)
    with tempfile.TemporaryDirectory() as folder:
        given, results = Path(folder) / "given", Path(folder) / "results"
        head = [_numbers(len(arrays))]
        for _, a in arrays.values():
            head += [_numbers(a.nbytes, a.ctypes.data % 16), a.tobytes()]
        given.write_bytes(b"".join([*head, _numbers(len(launches)), body]))
        done = subprocess.run(
            [str(made), str(given), str(results)],
            capture_output=True,
            text=True,
            timeout=seconds,
            env=os.environ | OPTIONS | ({"CUDA_ON_CPU_COPIES_AT_ONCE": "1"} if copies_at_once else {}),
            preexec_fn=_fixed_addresses if sys.platform == "linux" else None,
        )
        if "FATAL: ThreadSanitizer" in done.stderr:
            raise CannotStart(done.stderr)
        if done.returncode:
            raise SanitizerError(done.stderr)
        read = results.read_bytes()
    at = 0
    for _, a in arrays.values():
        if a.flags.writeable:
            a.reshape(-1).view(np.uint8)[...] = np.frombuffer(read, np.uint8, a.nbytes, at)
        at += a.nbytes


def _fixed_addresses() -> None:
    ctypes.CDLL(None).personality(NO_RANDOM_ADDRESSES)  # where it is forbidden, addresses stay as they are


def _numbers(*values: int) -> bytes:
    return np.array(values, np.int64).tobytes()


def _launch(types: list[str], launch: Launch, arrays: dict[tuple[int, int], tuple[int, np.ndarray]]) -> bytes:
    """One launch as the program reads it. Arrays are entered into `arrays`, each once."""
    values = arguments(launch.kernel, types, launch.args)
    check_shared(launch.kernel, launch.shared_bytes)
    name = launch.kernel.encode()
    parts = [_numbers(len(name)), name, _numbers(*launch_sizes(launch.kernel, launch.grid, launch.block))]
    parts.append(_numbers(launch.shared_bytes, len(values)))
    for kind, given, value in zip(types, launch.args, values):
        if not kind.endswith("*"):
            parts += [_numbers(0), value.tobytes().ljust(8, b"\0")]
        elif given is None:
            parts.append(_numbers(1, -1))
        else:
            key = given.ctypes.data, given.nbytes
            parts.append(_numbers(1, arrays.setdefault(key, (len(arrays), given))[0]))
    return b"".join(parts)
