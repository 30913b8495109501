"""How far is a text a tale, and how probable is it?  Read sentence by sentence, in well under a millisecond.

`derivations` and `begins` walk through all that the grammar could say, from the first choice on. A judge of ten
thousand texts has no time for that: here each sentence of the grammar is a pattern, with what has been named so far
filled in by comparison. The three are held together by tests.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tinygrad_llm.datasets import tales_words as words
from tinygrad_llm.datasets.tales_plots import HAPPY, MEETING, OPENING, PLOTS, SAD, TALK, Plot
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.ranges import check_whole

SAME = (OPENING, MEETING, TALK)
SENTENCES = len(SAME) + len(PLOTS[0].lines) + 1
"""Of every tale, as the grammar counts them: what somebody says is one with its "said Tom"."""
OPTIONS = {
    "place": words.PLACES, "spot": words.SPOTS, "food": words.FOODS, "animal": words.ANIMALS, "adult": words.ADULTS,
    "hero": words.CHILDREN, "friend": words.CHILDREN,
    "thing": tuple(f"{c} {t}" for c in words.COLORS for t in words.THINGS),
}  # fmt: skip
HOLES = {"weather": words.WEATHER, "time": words.TIMES}
PRONOUNS = ("she", "her", "hers")


@dataclass(frozen=True)
class Reading:
    """ends             where each sentence ends, of those that the grammar can say one after the other.
    whole            whether they are as many as were asked for, and the text ends with the last of them.
    log_probability  ln of the probability, before any split, that so many sentences of a tale are exactly this text;
                     -inf where it is not whole.
    entities         what was named, where it is whole: {"hero": "Tom", "thing": "red kite", …}; of several ways to read
                     the text the most probable one's.
    """

    ends: tuple[int, ...]
    whole: bool
    log_probability: float
    entities: dict[str, str]

    @property
    def right(self) -> int:
        """How many sentences are."""
        return len(self.ends)


@dataclass(frozen=True)
class _State:
    """A way to read the text: where its sentences end, what has been named, the probability of how it was said."""

    ends: tuple[int, ...]
    named: dict[str, str]
    probability: float


def read_tale(text: str, sentences: int = SENTENCES) -> Reading:
    """A tale, or its first sentences, read by every plot.  The probabilities of all ways to tell it are added up.

    Raises ArgumentError for a number of sentences that is not 1 to 8.
    """
    check_whole(sentences=sentences)
    if sentences > SENTENCES:
        raise ArgumentError("sentences", f"at most {SENTENCES}, as many as a tale has", sentences)
    ends: tuple[int, ...] = ()
    total, best, entities = 0.0, 0.0, dict[str, str]()
    for plot, state in _readings(text, sentences):
        ends = max(ends, state.ends, key=len)
        if len(state.ends) == sentences and state.ends[-1] == len(text):
            probability = state.probability * _named_so(state.named, plot) / len(PLOTS)
            total += probability
            if probability > best:
                best, entities = probability, state.named
    return Reading(ends, total > 0, math.log(total) if total else -math.inf, entities)


def _readings(text: str, sentences: int) -> Iterator[tuple[Plot, _State]]:
    """Each plot, with each way to read as many sentences as go by it."""
    same = _told(text, [_State((), {}, 1.0)], SAME[:sentences])  # whatever the plot
    for plot in PLOTS:
        states = [state for state in same if _may_be_told(state, plot)]
        if len(same[0].ends) == len(SAME):
            own = (*plot.lines, HAPPY if plot.mood == "happy" else SAD)
            states = _told(text, states, own[: sentences - len(SAME)])
        yield from ((plot, state) for state in states)


def _told(text: str, states: list[_State], sentences: tuple[tuple[str, ...], ...]) -> list[_State]:
    """All ways to read these sentences, as far as any goes."""
    for variants in sentences:
        if not (states_after := _after(text, states, variants)):
            return states
        states = states_after
    return states


def _may_be_told(state: _State, plot: Plot) -> bool:
    return "friend" not in state.named or _may_be_friend(state.named["friend"], state.named["hero"], plot)


def _after(text: str, states: list[_State], variants: tuple[str, ...]) -> list[_State]:
    """All ways to read one sentence more."""
    read = (_read(text, state, *_pattern(variant)) for state in states for variant in variants)
    return [_State(new.ends, new.named, new.probability / len(variants)) for new in read if new is not None]


def _read(text: str, state: _State, pattern: re.Pattern[str], mentions: tuple[tuple[str, str], ...]) -> _State | None:
    """This sentence, if the text goes on with it."""
    found = pattern.match(text, state.ends[-1] if state.ends else 0)
    if found is None:
        return None
    named, probability = dict(state.named), state.probability
    for (entity, form), said in zip(mentions, found.groups()):
        if entity in HOLES:
            probability /= len(HOLES[entity])
        elif entity not in named:
            named[entity] = said[0].lower() + said[1:] if form == "Cap" else said
        elif said != _shown(named, entity, form):
            return None
    if named.get("friend") == named["hero"]:
        return None
    return _State((*state.ends, found.end()), named, probability)


def _named_so(named: dict[str, str], plot: Plot) -> float:
    """The probability of all names and things of a tale."""
    friends = sum(_may_be_friend(child, named["hero"], plot) for child in words.CHILDREN)
    return 1 / math.prod(friends if entity == "friend" else len(OPTIONS[entity]) for entity in named)


def _may_be_friend(child: str, hero: str, plot: Plot) -> bool:
    return child != hero and (not plot.same_sex or (child in words.GIRLS) == (hero in words.GIRLS))


def _shown(named: dict[str, str], entity: str, form: str) -> str:
    """What the text says for an entity."""
    name = named[entity]
    if form.lower() in PRONOUNS:
        shown = words.PRONOUNS["girl" if name in words.GIRLS else "boy"][PRONOUNS.index(form.lower())]
        return shown.capitalize() if form[0].isupper() else shown
    return name.split(" ", 1)[1] if form == "short" else name[0].upper() + name[1:] if form == "Cap" else name


@cache
def _pattern(variant: str) -> tuple[re.Pattern[str], tuple[tuple[str, str], ...]]:
    """A sentence with holes, as a pattern whose groups are its mentions: (entity, form), or (hole, "")."""
    out, mentions = "" if variant in OPENING else " ", list[tuple[str, str]]()
    for plain, hole, entity, form in re.findall(r"([^\[{]+)|\{(\w+)\}|\[(\w+)\.?(\w*)\]", variant):
        if plain:
            out += re.escape(plain)
            continue
        mentions.append((hole or entity, form))
        out += f"({'|'.join(map(re.escape, _spellings(hole, entity, form)))})"
    return re.compile(out), tuple(mentions)


def _spellings(hole: str, entity: str, form: str) -> list[str]:
    """All that may stand in one place of a sentence."""
    if hole:
        return list(HOLES[hole])
    if form.lower() in PRONOUNS:
        sexes = [{entity: name} for name in (words.GIRLS[0], words.BOYS[0])]
        return [_shown(named, entity, form) for named in sexes]
    return sorted({_shown({entity: name}, entity, form) for name in OPTIONS[entity]})
