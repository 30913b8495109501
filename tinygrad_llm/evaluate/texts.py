"""What metrics of texts share: n-grams, and candidates with the references that they are held against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tinygrad_llm.errors import DataError


def ngrams(words: Sequence[Any], n: int) -> Counter[tuple[Any, ...]]:
    """How often each run of n words, or of n letters of a text, occurs."""
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def text_pairs(candidates: Sequence[str], references: Sequence[str | Sequence[str]]) -> list[tuple[str, list[str]]]:
    """Each candidate with its references: one, or several in a list.

    Raises DataError where there is nothing to judge, or not one entry a candidate, or words where texts should be.
    """
    check_list("candidates", candidates)
    check_list("references", references)
    if not len(candidates):
        raise DataError("candidates", "at least one", "none", "An empty corpus has no score.")
    if len(candidates) != len(references):
        raise DataError("references", f"{len(candidates)} entries, one a candidate", len(references))
    pairs = [
        (check_text(f"candidates[{place}]", candidate), reference_texts(f"references[{place}]", given))
        for place, (candidate, given) in enumerate(zip(candidates, references))
    ]
    _check_not_in_words(pairs)
    return pairs


def reference_texts(name: str, given: str | Sequence[str]) -> list[str]:
    """The references of one candidate, of which there is one or a list.  Raises DataError for none, and for no text."""
    if not _is_list(given):
        return [check_text(name, given)]
    if not len(given):
        raise DataError(name, "at least one text", "none")
    return [check_text(f"{name}[{i}]", text) for i, text in enumerate(given)]


def check_list(name: str, texts: object) -> None:
    """Raises DataError for anything but several things in an order."""
    if not _is_list(texts):
        raise DataError(name, "a list of texts", f"a {type(texts).__name__}", "Put a single text into a list.")


def check_text(name: str, text: object) -> str:
    """The text.  Raises DataError for anything else."""
    if not isinstance(text, str):
        next_step = "Join its words: ' '.join(words)." if _is_list(text) else ""
        raise DataError(name, "a text", f"a {type(text).__name__}", next_step)
    return text


def _is_list(given: object) -> bool:
    """Whether this is several things in an order: a list, a tuple, a column of a table, and not one text."""
    return not isinstance(given, str | bytes | dict | set) and hasattr(given, "__len__") and hasattr(given, "__iter__")


def _check_not_in_words(pairs: Sequence[tuple[str, list[str]]]) -> None:
    """Raises DataError where the references are all of single words, several each, and the candidates are not.

    That is one reference as a list of its words, which would be taken for several references.
    """
    single = all(len(texts) > 1 and all(len(text.split()) == 1 for text in texts) for _, texts in pairs)
    if single and any(len(candidate.split()) > 1 for candidate, _ in pairs):
        got, next_step = f"the words {pairs[0][1][:4]}", "Join them: ' '.join(words)."
        raise DataError("references[0]", "a text, or a list of whole texts", got, next_step)
