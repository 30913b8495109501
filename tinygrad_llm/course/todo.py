"""What an exercise raises where the learner has not written anything yet."""

from __future__ import annotations


class Todo(NotImplementedError):
    """`raise Todo("what to write here")`: replace the line that raises it."""
