"""What the second run leaves out, and why: the beginning of a test's name, and the reason."""

from __future__ import annotations

NUMPY = "is about NumPy's memory"

LEFT_OUT: dict[str, str] = {}
