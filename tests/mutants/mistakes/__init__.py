"""Mistakes that this field has really made, or that lived here once, one list an area.

Each is a file of the package, what is right there (it stands there once), what was written instead, and its name.
"""

from __future__ import annotations

from tests.mutants.mistakes import course, engine, families, generation, models, tokenizers, training, vision

MISTAKES = [m for area in (engine, models, families, training, generation, tokenizers, course, vision) for m in area.MISTAKES]
