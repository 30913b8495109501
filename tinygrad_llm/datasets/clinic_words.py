"""The words of `clinic`. No drug, complaint or dose is a real one."""

from __future__ import annotations

from typing import NamedTuple

DRUGS = (
    "bolvo", "druma", "fimbo", "gorska", "hulpa", "jirro", "kessun", "lomtu",
    "mirrup", "noffa", "oskel", "pludo", "quosk", "rundle", "sivvik", "tammor",
)  # fmt: skip
NUMBERS = ("two", "three", "four", "five", "six", "seven")
UNITS = ("drops", "beads", "leaves", "spoons")
DOSES = tuple(f"{number} {unit}" for number in NUMBERS for unit in UNITS)


class Field(NamedTuple):
    """line       what a leaflet says of it, with a place for the value.
    questions  two wordings, with a place for the drug; no word of the line stands in them.
    values     what the line may say.
    """

    line: str
    questions: tuple[str, str]
    values: tuple[str, ...]


FIELDS = {
    "use": Field(
        "against {v} .",
        ("what does {d} help with ?", "why do people want {d} ?"),
        ("moonitch", "sandcough", "knotback", "inkeye", "frostear", "hillfever", "rustknee", "dullnose"),
    ),
    "adults": Field(
        "adults take {v} .", ("how much {d} for a man ?", "a woman has {d} , how much ?"), DOSES
    ),
    "children": Field(
        "children take {v} .", ("how much {d} for a boy ?", "a girl has {d} , how much ?"), DOSES
    ),
    "time": Field(
        "taken at {v} .",
        ("when does one have {d} ?", "what hour suits {d} ?"),
        ("dawn", "breakfast", "noon", "teatime", "dusk", "supper", "bedtime", "midnight"),
    ),
    "never": Field(
        "never with {v} .", ("what does {d} not agree to ?", "what drug fights {d} ?"), DRUGS
    ),
    "barred": Field(
        "barred to {v} .",
        ("who must not have {d} ?", "for whom does {d} do harm ?"),
        ("sleepwalkers", "divers", "drivers", "smiths", "riders", "climbers", "fasters", "beekeepers"),
    ),
    "effect": Field(
        "may bring {v} .",
        ("what does {d} do to me besides ?", "what harm does {d} do ?"),
        ("yawning", "hiccups", "freckles", "shivers", "giggles", "sneezing", "hunger", "stumbling"),
    ),
}  # fmt: skip
