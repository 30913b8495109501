"""A page in a headless browser: what is in it, what the console said, and what it asked of other machines."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-background-networking --disable-sync "
    "--disable-component-update --no-first-run --hide-scrollbars --enable-logging=stderr"
).split()
NO_NETWORK = "--host-resolver-rules=MAP * ~NOTFOUND"
THE_BROWSER_ITSELF = "not an origin"
"""The initiator of requests that no page made."""
ENDLESS_S = 120


@dataclass(frozen=True)
class Page:
    """dom: as it stands after its scripts. console: warnings and errors. asked: addresses that are not files here."""

    dom: str
    console: list[str]
    asked: list[str]


def visit(path: Path, width: int = 1200, height: int = 900, picture: Path | None = None, dark: bool = False) -> Page:
    """Opens a file, for a reader who prefers the dark or the light; skips the test where there is no browser."""
    browser = next(filter(None, map(shutil.which, NAMES)), None)
    if browser is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "network.json"
        command = [browser, *QUIET, NO_NETWORK, f"--user-data-dir={folder}", f"--window-size={width},{height}"]
        end = [f"--screenshot={picture}"] if picture else [f"--log-net-log={log}", "--dump-dom"]
        command.append(f"--blink-settings=preferredColorScheme={0 if dark else 1}")
        command += ["--virtual-time-budget=5000", *end, path.resolve().as_uri()]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", timeout=ENDLESS_S)
        assert done.returncode == 0, done.stderr[-2000:]
        events = json.loads(log.read_text(encoding="utf-8"))["events"] if log.exists() else []
    asked = {
        e["params"]["url"]
        for e in events
        if e.get("params", {}).get("initiator", THE_BROWSER_ITSELF) != THE_BROWSER_ITSELF
    }
    console = re.findall(r":CONSOLE[:(]\d+\)?\] (.*)", done.stderr)
    return Page(done.stdout, console, sorted(asked))
