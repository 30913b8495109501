"""The log of a run: one JSON object a line, one line an event. It can be read while it grows, and after a crash."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tinygrad_llm.errors import StorageError, reason


class Log:
    """Appends events to a file; each is on disk when `write` returns."""

    def __init__(self, path: Path) -> None:
        self.path, self.begun = path, False

    def write(self, event: str, **values: Any) -> None:
        """{"event": event, ...} as a line.  Raises StorageError where the disk refuses."""
        try:
            torn = not self.begun and self.path.exists() and self.path.read_bytes()[-1:] not in (b"", b"\n")
            self.begun = True
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(("\n" if torn else "") + json.dumps({"event": event, **values}) + "\n")
        except OSError as error:
            next_step = "Free space or choose another --out; what was saved before is untouched."
            raise StorageError(str(self.path), "a file that can be written", reason(error), next_step) from error


def read_log(path: str | Path) -> Iterator[dict[str, Any]]:
    """The events; a last line that a crash cut off is passed over."""
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event


def curves(
    path: str | Path, names: tuple[str, str] = ("loss", "val_loss")
) -> tuple[list[tuple[int, float]], list[tuple[int, float]]]:
    """(step, loss) while training, and (step, loss) on held-out text; of a step that was done twice, the later.

    names  those of the two numbers in the log.
    """
    train: dict[int, float] = {}
    val: dict[int, float] = {}
    for event in read_log(path):
        step = event.get("step")
        for key, curve in zip(names, (train, val)):
            if isinstance(step, int) and isinstance(event.get(key), float) and math.isfinite(event[key]):
                curve[step] = event[key]
    return sorted(train.items()), sorted(val.items())
