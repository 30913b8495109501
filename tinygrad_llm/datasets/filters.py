"""Rules that tell a good page from a bad one by counting, and those that clean the lines of a good one.

Sources: "Gopher", Rae et al., "Scaling Language Models: Methods, Analysis & Insights from Training Gopher", 2021,
appendix A.1 (quality and repetition of pages); "C4", Raffel et al., "Exploring the Limits of Transfer Learning with a
Unified Text-to-Text Transformer", 2020, section 2.2 (lines). Thresholds are theirs. Left out of C4: its list of bad
words and its language detector, which come from elsewhere, and three sentences that were seen before (see dedup.py).

A rule is a function of the text that gives a number; `RULES` has for each the range in which a page is kept.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tinygrad_llm.ranges import check_whole

STOP_WORDS = frozenset("the be to of and that have with".split())
BULLETS = ("-", "*", "•", "‣", "●")
ELLIPSES = ("...", "…")
ENDS = (".", "!", "?", '"', "”")
"""What a line of prose ends with, in C4."""
POLICY = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")
FEWEST_WORDS, FEWEST_SENTENCES = 5, 3
"""Of a line, and of a page, in C4."""


def lines_of(text: str) -> list[str]:
    """The lines with anything on them, without white space at their ends."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def word_count(text: str) -> int:
    """Words, as white space parts them."""
    return len(text.split())


def mean_word_length(text: str) -> float:
    """Characters a word; 0 without words."""
    words = text.split()
    return sum(map(len, words)) / len(words) if words else 0.0


def symbol_ratio(text: str) -> float:
    """Hashes or ellipses, whichever are more, a word; 0 without words."""
    ellipses = sum(map(text.count, ELLIPSES))
    return max(text.count("#"), ellipses) / max(1, word_count(text))


def bullet_share(text: str) -> float:
    """Share of the lines that begin with a bullet."""
    return _share(line.startswith(BULLETS) for line in lines_of(text))


def ellipsis_share(text: str) -> float:
    """Share of the lines that end in an ellipsis."""
    return _share(line.endswith(ELLIPSES) for line in lines_of(text))


def alphabetic_share(text: str) -> float:
    """Share of the words with a letter in them; 0 without words."""
    return _share(any(letter.isalpha() for letter in word) for word in text.split())


def stop_word_count(text: str) -> int:
    """How many of the eight stop words the text has, each counted once, in any case."""
    return len(STOP_WORDS & set(re.findall(r"[^\W\d_]+", text.lower())))


def _share(marks: Iterable[bool]) -> float:
    known = list(marks)
    return sum(known) / len(known) if known else 0.0


# -- repetition ------------------------------------------------------------------------------------------------------


def duplicate_line_share(text: str) -> float:
    """Share of the lines that stood there before."""
    lines = lines_of(text)
    return 1 - len(set(lines)) / len(lines) if lines else 0.0


def duplicate_line_characters(text: str) -> float:
    """Share of the lines' characters in lines that stood there before."""
    lines = lines_of(text)
    return 1 - sum(map(len, set(lines))) / sum(map(len, lines)) if lines else 0.0


def top_ngram_share(words: Sequence[str], n: int) -> float:
    """Share of the words' characters that lie in the most frequent run of n words, all its occurrences.

    Of runs that are equally frequent the one with the most characters counts. A run that occurs once is no repetition:
    0. Occurrences that overlap are counted each, so that the share may be above 1, as the source leaves it.

    Raises ArgumentError for n < 1.
    """
    check_whole(n=n)
    counts = Counter(zip(*(words[i:] for i in range(n))))
    most = max(counts.values(), default=0)
    if most < 2:
        return 0.0
    longest = max(sum(map(len, run)) for run, count in counts.items() if count == most)
    return most * longest / max(1, sum(map(len, words)))


def duplicate_ngram_share(words: Sequence[str], n: int) -> float:
    """Share of the words' characters that lie in runs of n words which stood there before.

    A character in two such runs that overlap counts once; the first occurrence of a run is no duplicate.

    Raises ArgumentError for n < 1.
    """
    check_whole(n=n)
    runs = list(zip(*(words[i:] for i in range(n))))
    if len(set(runs)) == len(runs):  # most pages
        return 0.0
    seen: set[tuple[str, ...]] = set()
    again = [False] * len(words)
    for i, run in enumerate(runs):
        if run in seen:
            again[i : i + n] = [True] * n
        seen.add(run)
    total = sum(map(len, words))
    return sum(len(word) for word, twice in zip(words, again) if twice) / total if total else 0.0


# -- the rules -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """A page is kept where `measure(text)` lies in [least, most]."""

    name: str
    measure: Callable[[str], float]
    least: float = -math.inf
    most: float = math.inf
    source: str = "Gopher"

    def keeps(self, text: str) -> bool:
        """Whether the rule would keep this page."""
        return self.least <= self.measure(text) <= self.most


def _top(n: int) -> Callable[[str], float]:
    return lambda text: top_ngram_share(text.split(), n)


def _again(n: int) -> Callable[[str], float]:
    return lambda text: duplicate_ngram_share(text.split(), n)


QUALITY = (
    Rule("words", word_count, 50, 100_000),
    Rule("word length", mean_word_length, 3, 10),
    Rule("symbols", symbol_ratio, most=0.1),
    Rule("bullets", bullet_share, most=0.9),
    Rule("ellipses", ellipsis_share, most=0.3),
    Rule("letters", alphabetic_share, 0.8),
    Rule("stop words", stop_word_count, 2),
)
"""Gopher's A.1.1, all but the table."""
REPETITION = (
    Rule("lines again", duplicate_line_share, most=0.30),
    Rule("characters of lines again", duplicate_line_characters, most=0.20),
    *(Rule(f"top {n}-gram", _top(n), most=share) for n, share in ((2, 0.20), (3, 0.18), (4, 0.16))),
    *(
        Rule(f"{n}-grams again", _again(n), most=share)
        for n, share in ((5, 0.15), (6, 0.14), (7, 0.13), (8, 0.12), (9, 0.11), (10, 0.10))
    ),
)
"""Gopher's table A1. Its two rules on paragraphs are those on lines here: a page has no empty lines."""
C4_PAGE = (
    Rule("sentences", lambda text: len(sentences(text)), FEWEST_SENTENCES, source="C4"),
    Rule("braces", lambda text: text.count("{"), most=0, source="C4"),
    Rule("lorem ipsum", lambda text: text.lower().count("lorem ipsum"), most=0, source="C4"),
)
RULES = (*C4_PAGE, *QUALITY, *REPETITION)


def dropped_by(text: str, rules: Sequence[Rule] = RULES) -> list[str]:
    """The names of the rules that would drop the page; none for one that is kept."""
    return [rule.name for rule in rules if not rule.keeps(text)]


def sentences(text: str) -> list[str]:
    """Sentences: they end with a full stop, a sign of exclamation or a question mark before white space or the end.

    A closing quotation mark behind that sign goes with the space. What breaks off without an end is no sentence.
    """
    return [part for part in re.split(r"(?<=[.!?])[\"”]?\s+", text) if re.search(r"\w.*[.!?]", part, re.DOTALL)]


def keeps_line(line: str) -> bool:
    """C4's rules of lines: five words, an end like a sentence's, and nothing of Javascript or of policies."""
    low = line.lower()
    prose = line.endswith(ENDS) and not line.endswith(ELLIPSES) and len(line.split()) >= FEWEST_WORDS
    return prose and "javascript" not in low and not any(words in low for words in POLICY)


def clean_lines(text: str) -> str:
    """The page with those lines alone that C4 keeps."""
    return "\n".join(line for line in lines_of(text) if keeps_line(line))
