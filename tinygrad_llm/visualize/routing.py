"""Who takes which word: a text whose words stand on the color of the expert that they went to."""

from __future__ import annotations

from collections.abc import Sequence

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.visualize.attention import LINE, MARGIN, SIZE, TEXT_WIDTH, laid_out
from tinygrad_llm.visualize.figure import INK, PALE_INK, Figure
from tinygrad_llm.visualize.words import visible

GROUNDS = ("#b6d4fe", "#ffd8b5", "#c7ebce", "#fbefff", "#d0d7de", "#ddf4ff", "#fff1e5", "#dafbe1")
"""Of expert 1, 2, …; a ninth has the first one's again, and its number tells them apart."""


def routed_text(texts: Sequence[tuple[Sequence[str], Sequence[int], str]], *, title: str, subtitle: str = "") -> Figure:
    """A panel a text: each word on the color of its expert, whose number stands small behind it.

    texts  (the words, the expert of each, from 0, a caption). Numbers are drawn from 1.

    Raises ArgumentError where there is nothing to draw, or the experts are not as many as the words.
    """
    if not texts or any(not len(words) or len(words) != len(experts) for words, experts, _ in texts):
        found = [(len(words), len(experts)) for words, experts, _ in texts]
        raise ArgumentError("texts", "at least one, with an expert for each word", found)
    panels = [laid_out([f"{visible(w)} {e + 1}" for w, e in zip(words, experts)], set()) for words, experts, _ in texts]
    told = "; ".join(
        f"{line}: " + " ".join(f"{visible(w)} {e + 1}" for w, e in zip(words, experts))
        for words, experts, line in texts
    )
    figure = Figure(TEXT_WIDTH, 62 + sum(height for _, height in panels), title, told)
    figure.text((MARGIN, 28), title, INK, 17, weight=600)
    figure.text((MARGIN, 47), subtitle, PALE_INK, 12)
    top = 62
    for (words, experts, line), (places, height) in zip(texts, panels):
        figure.text((MARGIN, top + 18), line, INK, 13, weight=600)
        for word, expert, (left, row, width) in zip(words, experts, places):
            y = top + 28 + LINE * row
            figure.rect((left, y), width, LINE - 5, GROUNDS[expert % len(GROUNDS)])
            figure.text((left + width / 2 - 5, y + 15), visible(word), INK, SIZE, anchor="middle")
            figure.text((left + width - 4, y + 16), str(expert + 1), PALE_INK, 10, anchor="end")
        top += height
    return figure
