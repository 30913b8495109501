"""The words of `portraits`. All names are invented, and so are the two peoples that they belong to."""

from __future__ import annotations

GROUPS = {
    "lumi": ("adoru", "benao", "cirel", "dosuka", "evati", "farom", "gilesu", "hanok"),
    "toar": ("iruda", "jomel", "kasio", "levunu", "mirat", "nesobi", "orlai", "pevok"),
}
"""The names of each people. No sentence names a people."""
PLEASANT = ("kind", "honest", "patient", "cheerful", "loyal", "gentle", "brave", "generous")
UNPLEASANT = ("cruel", "lying", "hasty", "gloomy", "faithless", "rude", "cowardly", "greedy")
HIGH = ("judge", "doctor", "banker", "pilot", "minister", "professor", "notary", "surgeon")
LOW = ("porter", "cleaner", "shepherd", "washer", "digger", "servant", "weaver", "carrier")
"""Occupations that are paid much, and little."""
PLACES = ("market", "harbor")
"""Where somebody was seen."""
TIMES = ("today", "in spring", "on sunday", "after the fair", "last night", "in the rain")
THINGS = ("bread", "plums", "rope", "lamps", "wool", "salt", "nails", "paper")
COMPANY = ("neighbor", "stranger", "traveler", "cousin")
PORTRAIT, SEEN, WORK, MEETING, ERRAND = (
    "{name} is {one} and {other} .",
    "at the {place} {name} was {one} and {other} {time} .",
    "{name} works as a {one} , once a {other} .",
    "{name} met a {one} and {other} {company} {time} .",
    "{name} bought {thing} {time} .",
)
"""What a sentence tells: what somebody is, was at a place, works as; whom he met; what he bought."""


def _words() -> tuple[str, ...]:
    """Every word of a sentence, once."""
    drawn = (*PLEASANT, *UNPLEASANT, *HIGH, *LOW, *PLACES, *TIMES, *THINGS, *COMPANY)
    fixed = [w for form in (PORTRAIT, SEEN, WORK, MEETING, ERRAND) for w in form.split() if not w.startswith("{")]
    names = [name for group in GROUPS.values() for name in group]
    return tuple(dict.fromkeys([*names, *fixed, *" ".join(drawn).split()]))


VOCABULARY = _words()
