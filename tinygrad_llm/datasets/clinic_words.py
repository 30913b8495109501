"""The words of `clinic`. No drug, complaint or dose is a real one."""

from __future__ import annotations

from typing import NamedTuple

DRUGS = (
    "bolvo", "druma", "fimbo", "gorska", "hulpa", "jirro", "kessun", "lomtu",
    "mirrup", "noffa", "oskel", "pludo", "quosk", "rundle", "sivvik", "tammor",
)  # fmt: skip


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
        "give adults one {v} .", ("how much {d} for a man ?", "what dose of {d} for a woman ?"),
        ("cupful", "spoonful", "handful", "mugful", "jugful", "bowlful", "panful", "sackful"),

    ),
    "children": Field(
        "give children one {v} .", ("how much {d} for a boy ?", "what dose of {d} for a girl ?"),
        ("pinch", "dab", "sip", "speck", "crumb", "dash", "drip", "smidgen"),

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
