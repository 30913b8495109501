"""The marks around a text or a pair of texts, as the post-processor of a tokenizer.json puts them: a template.

[("<s>"'s id, 0), ("A", 0), ("</s>"'s id, 0)]     with "A" and "B" for the texts, and to which of two each part belongs
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinygrad_llm.tokenizer.json_parts import Builders, build, options, refused

Template = list[tuple[int | str, int]]
PLAIN: tuple[Template, Template] = ([("A", 0)], [("A", 0), ("B", 1)])
"""No marks: for one text and for two."""


def templates_of(said: Mapping[str, Any] | None, where: str = "post_processor") -> tuple[Template, Template]:
    """The template for one text, and the one for two."""
    return PLAIN if said is None else build(POST_PROCESSORS, said, where)


def _byte_level(said: Any, where: str) -> tuple[Template, Template]:
    """Moves the places of tokens, which are not kept here."""
    options(said, where, add_prefix_space=(True, False), trim_offsets=(True, False), use_regex=(True, False))
    return PLAIN


def _two_marks(said: Any, where: str) -> tuple[int, int]:
    ids = []
    for name in ("cls", "sep"):
        pair = said.get(name)
        if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) and type(pair[1]) is int):
            raise refused(f"{where}.{name}", "a token and its id", pair)
        ids.append(pair[1])
    return ids[0], ids[1]


def _bert(said: Any, where: str) -> tuple[Template, Template]:
    options(said, where, cls=list, sep=list)
    cls, sep = _two_marks(said, where)
    one: Template = [(cls, 0), ("A", 0), (sep, 0)]
    return one, [*one, ("B", 1), (sep, 1)]


def _roberta(said: Any, where: str) -> tuple[Template, Template]:
    options(said, where, cls=list, sep=list, trim_offsets=(True, False), add_prefix_space=(True, False))
    cls, sep = _two_marks(said, where)
    one: Template = [(cls, 0), ("A", 0), (sep, 0)]
    return one, [*one, (sep, 0), ("B", 0), (sep, 0)]


def _template(said: Any, where: str) -> tuple[Template, Template]:
    found = options(said, where, single=list, pair=list, special_tokens=dict)
    marks: dict[str, list[int]] = {}
    for name, token in found["special_tokens"].items():
        ids = options(token, f"{where}.special_tokens.{name}", id=str, ids=list, tokens=list)["ids"]
        if not all(type(i) is int for i in ids):
            raise refused(f"{where}.special_tokens.{name}.ids", "ids", ids)
        marks[name] = ids

    def read(name: str, texts: str) -> Template:
        made: Template = []
        known: dict[str, dict[str, Any]] = {"Sequence": {text: [text] for text in texts}, "SpecialToken": marks}
        for part in found[name]:
            kind, place = next(iter(part.items())) if isinstance(part, dict) and len(part) == 1 else ("", {})
            parts = known.get(kind, {}).get(str(place.get("id"))) if isinstance(place, dict) else None
            if parts is None or type(place.get("type_id")) is not int:
                raise refused(f"{where}.{name}", f"texts {' and '.join(texts)}, special_tokens {sorted(marks)}", part)
            made += [(mark, place["type_id"]) for mark in parts]
        return made

    return read("single", "A"), read("pair", "AB")


def _sequence(said: Any, where: str) -> tuple[Template, Template]:
    parts = options(said, where, processors=list)["processors"]
    found = [build(POST_PROCESSORS, part, f"{where}.processors[{i}]") for i, part in enumerate(parts)]
    marking = [templates for templates in found if templates is not PLAIN]
    if len(marking) > 1:
        raise refused(where, "one that puts marks", parts)
    return marking[0] if marking else PLAIN


POST_PROCESSORS: Builders[tuple[Template, Template]] = {
    "TemplateProcessing": _template, "BertProcessing": _bert, "RobertaProcessing": _roberta, "ByteLevel": _byte_level,
    "Sequence": _sequence,
}  # fmt: skip
