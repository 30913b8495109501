"""The words of English that lingo's sentences are made of, and lingo's stems for them."""

from __future__ import annotations

BEINGS = {
    "king": "dorak", "queen": "selim", "girl": "minol", "boy": "tarun", "farmer": "gobel", "sailor": "perik",
    "baker": "fusan", "teacher": "lodim", "dog": "vurek", "cat": "nemis", "horse": "karov", "bird": "zilep",
}  # fmt: skip
"""Who does things, and to whom they are given."""
THINGS = {
    "book": "hatul", "stone": "borug", "pear": "simar", "cup": "kofel", "drum": "tumak", "letter": "ravis",
    "basket": "pelon", "lamp": "yorin", "knife": "gisek", "boat": "wolud", "shirt": "camir", "flute": "nifal",
}  # fmt: skip
PLACES = {
    "river": "silur", "mill": "makon", "garden": "jarel", "bridge": "porut", "forest": "wudam", "market": "tezik",
    "tower": "halor", "harbor": "bamis",
}  # fmt: skip
PREPOSITIONS = {"near": "bel", "behind": "rok", "in": "ni", "under": "suf", "beside": "tam"}
ADJECTIVES = {
    "red": "rubid", "small": "pikon", "tall": "longar", "gray": "sivel", "new": "novak", "heavy": "gravun",
    "wet": "mokir", "brave": "valem",
}  # fmt: skip
COUNTS = {"two": "dun", "three": "tris", "many": "mul"}
VERBS = {
    # the stem, and in English what one does, does if it is one who does it, and did
    "see": ("vidor", "sees", "saw"), "find": ("kerul", "finds", "found"), "carry": ("tosim", "carries", "carried"),
    "paint": ("pigar", "paints", "painted"), "follow": ("sekon", "follows", "followed"),
    "hide": ("lurem", "hides", "hid"), "wash": ("akvun", "washes", "washed"), "want": ("dezir", "wants", "wanted"),
}  # fmt: skip
GIVING = {
    "give": ("donik", "gives", "gave"), "send": ("mitul", "sends", "sent"), "show": ("monar", "shows", "showed"),
    "bring": ("fetol", "brings", "brought"),
}  # fmt: skip
"""Verbs of three: who, what, to whom."""
TIMES = {
    "past": {"yesterday": "hier", "once": "olim"},
    "present": {"now": "nuk", "often": "saep"},
    "future": {"tomorrow": "kras", "soon": "baldu"},
}

PLURAL = "ir"
CASES = {"subject": "", "object": "an", "recipient": "eth", "place": "os"}
TENSES = {"past": "a", "present": "e", "future": "o"}
MANY_DO = "s"
NOT, THAT = "ne", "ke"
