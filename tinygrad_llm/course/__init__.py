"""What the chapters and the exercises stand on: a chapter's frame, and the exercise system."""

from tinygrad_llm.course.todo import Todo

__all__ = ["Todo"]
