"""The words of `shapes`: everything that a choice can be, and the vocabulary that they make."""

from __future__ import annotations

COLORS = {
    "red": (220, 40, 40), "green": (40, 180, 70), "blue": (50, 90, 230), "yellow": (230, 210, 50),
    "purple": (170, 60, 200), "white": (240, 240, 240),
}  # fmt: skip
"""Red, green and blue of each, 0 to 255."""
SHAPES = {"circle": "circles", "square": "squares", "triangle": "triangles", "cross": "crosses"}
"""One and several."""
SIZES = ("small", "large")
ROWS, COLUMNS = ("top", "", "bottom"), ("left", "", "right")
PLACES = tuple(" ".join(filter(None, (row, column))) or "middle" for row in ROWS for column in COLUMNS)
"""The nine cells in reading order: top left, top, top right, left, middle, ..."""
COUNTS = ("zero", "one", "two", "three")
RELATIONS = {"left of": (0, -1), "right of": (0, 1), "above": (-1, 0), "below": (1, 0)}
"""The step in rows and columns that leads there."""
QUESTIONS = {
    "color": "what color is the {shape} ?",
    "shape": "what shape is at the {place} ?",
    "size": "how large is the {color} {shape} ?",
    "place": "where is the {color} {shape} ?",
    "relation": "what is {relation} the {color} {shape} ?",
    "count": "how many {what} are there ?",
    "exists": "is there a {color} {shape} ?",
}
CAPTION = "a {size} {color} {shape} at the {place}"
PLAIN = "a {size} {shape} at the {place}"
"""Of a thing whose color has no name."""
FORMLESS = "a {size} {color} one at the {place}"
"""Of a thing whose shape has no name."""
PAD, PICTURE, START, END = range(4)
SPECIAL = ("<pad>", "<picture>", "<start>", "<end>")


def _words() -> list[str]:
    """Every other word of a caption, a question or an answer, once."""
    templates = " ".join((*QUESTIONS.values(), CAPTION)).split()
    fixed = [word for word in templates if not word.startswith("{")]
    drawn = " ".join((*COLORS, *SHAPES, *SHAPES.values(), *SIZES, *PLACES, *COUNTS, *RELATIONS)).split()
    return list(dict.fromkeys((*fixed, *drawn, "things", "and", "yes", "no")))


VOCABULARY = (*SPECIAL, *_words())
"""The word of each id."""
