"""Pages of customs, stories of needles, what labels tell of each other, long texts drawn."""

from __future__ import annotations

MISTAKES: list[tuple[str, str, str, str]] = [
    # customs
    ("datasets/customs.py", "np.where(english, being, thing), np.where(english, thing, being)", "being, thing", "lingo in English order"),
    ("datasets/customs.py", "customs[language[:, None], place[:, None], who]", "customs[0, place[:, None], who]", "both languages have the same customs"),
    ("datasets/customs.py", "known[:, 2::LINE]", "known[:, 1::LINE]", "the word that is drawn is known"),
    ("datasets/customs.py", ".argsort(-1)", ".argsort(1)", "two beings bring the same thing"),
    # needles
    ("datasets/needles.py", "others + (others >= line)", "others", "a needle that overwrites another one"),
    ("datasets/needles.py", "round(depth * (before - 1))", "round(depth * before)", "the deepest needle in the question"),
    ("datasets/needles.py", "Stories(tokens, asked, where[:, -1])", "Stories(tokens, asked, where[:, 0])", "the needle of the first question"),
    ("datasets/needles.py", "before * LINE + 2 :: LINE", "before * LINE + 1 :: LINE", "the verb is asked for"),
    ("datasets/needles.py", "THING_IDS[thing], np.full_like", "THING_IDS[child], np.full_like", "every child hides the same thing in every story"),
    # information
    ("evaluate/information.py", "_entropy(x, y, z) - _entropy(z)", "_entropy(x, y, z)", "the entropy of what is given stays"),
    ("evaluate/information.py", "joint * (code.max() + 1) + code", "joint * code.max() + code", "two pairs of labels with one number"),
    ("evaluate/information.py", "np.lexsort((rng.random(len(z)), z))", "np.argsort(z, kind=\"stable\")", "nothing is shuffled"),
    ("evaluate/information.py", "out[np.argsort(z, kind=\"stable\")] = labels", "out[:] = labels", "labels go to other groups"),
    # figures
    ("visualize/long_text.py", "math.ceil(weights.shape[-1] / most)", "max(1, weights.shape[-1] // most)", "more blocks than at most"),
    ("visualize/long_text.py", "None if marked is None else marked // length", "marked", "a token for its block"),
    ("visualize/routing.py", "GROUNDS[expert % len(GROUNDS)]", "GROUNDS[0]", "one color for all experts"),
]  # fmt: skip
