"""The words of `meaning`: who, what, how many, where, and the verbs with the ways to say them."""

from __future__ import annotations

from dataclasses import dataclass

from tinygrad_llm.datasets import tales_words

CHILDREN = tuple(name.lower() for name in tales_words.GIRLS[:6] + tales_words.BOYS[:6])
PLACES = tuple(place for place in tales_words.PLACES if " " not in place)
THINGS = ("kites", "balls", "drums", "books", "lanterns", "baskets", "whistles", "ribbons", "maps", "cups", "flutes")
NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight")


@dataclass(frozen=True)
class Verb:
    """(past, base, participle) of the words for who gives, and (past, base) of those for who takes."""

    gives: tuple[tuple[str, str, str], ...]
    takes: tuple[tuple[str, str], ...]


VERBS = {
    "give": Verb((("gave", "give", "given"), ("handed", "hand", "handed")), (("got", "get"), ("received", "receive"))),
    "sell": Verb(
        (("sold", "sell", "sold"), ("peddled", "peddle", "peddled")), (("bought", "buy"), ("purchased", "purchase"))
    ),
    "lend": Verb((("lent", "lend", "lent"), ("loaned", "loan", "loaned")), (("borrowed", "borrow"),)),
    "throw": Verb((("threw", "throw", "thrown"), ("tossed", "toss", "tossed")), (("caught", "catch"),)),
}
DENIALS = ("not", "never")
QUESTIONS = {
    "giver": "from whom ?",
    "taker": "to whom ?",
    "number": "how many ?",
    "thing": "what ?",
    "place": "where ?",
    "happened": "did it happen ?",
}
"""What can be asked of any sentence, of a denied one too: who would have been the giver."""
