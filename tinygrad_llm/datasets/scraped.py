"""`scraped`: pages as a crawler finds them, each with its fault known. Good ones hold a tale in a frame of menus.

    Home | About | Contact | Log in                                        boilerplate around what is good
    One sunny morning, Lily went to the harbor with her red kite. ...
    Click here

fault        what is wrong with the page
""           nothing: a tale (kind "tale"), or a report of who is where (kind "report"), good too and of another kind
copy         the very text of an earlier page
near-copy    an earlier page's tale with some words exchanged, in another frame
foreign      another language (lingo)
gibberish    letters without sense, code, tables of numbers
list         menus, bullets, teasers that end in "..."
repeats      a sentence or a phrase again and again
salad        the words of a tale, shuffled
advert       fluent, and for sale
test         a tale of the held-out split, or half of it, in the middle of another text

In good pages there may stand private data (telephone numbers, e-mail, addresses, and what only looks like them), and
planted secrets: a sentence with an owner's name and four random digits, on so many pages. A secret is *copied* where
those pages are near-copies of each other, *scattered* where each has a tale of its own. (The idea of planting them is
that of Carlini et al., "The Secret Sharer", 2019.) All follows from the seed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tinygrad_llm.datasets import scraped_words as words
from tinygrad_llm.datasets.lingo import generate_lingo, pair_of
from tinygrad_llm.datasets.tales import draw, split_of
from tinygrad_llm.datasets.tales_words import CHILDREN, COLORS, PLACES, THINGS, TIMES
from tinygrad_llm.datasets.whereabouts import generate_whereabouts
from tinygrad_llm.errors import ArgumentError

SEED = 2026
COUNTS = {
    "tale": 1100, "report": 100, "copy": 300, "near-copy": 300, "foreign": 160, "gibberish": 120, "list": 120,
    "repeats": 150, "salad": 180, "advert": 260, "test": 60,
}  # fmt: skip
"""Pages of each kind before secrets are planted."""
FAULTS = ("copy", "near-copy", "foreign", "gibberish", "list", "repeats", "salad", "advert", "test")
COPIED, SCATTERED, OF_EACH = (1, 4, 16, 48), (16, 48), 3
"""On how many pages a secret stands, and how many secrets there are of each number."""
HELD_OUT, PLANTED = 120, 12
"""Tales to be judged by, and how many of them pages of the crawl give away."""
MOST_EXCHANGED = 6

Pieces = tuple[tuple[str, str], ...]
"""Words, each with the kind of private datum that they are, "" for none."""


@dataclass(frozen=True)
class Secret:
    """Four digits and their owner; `copies` pages have them, each with a tale of its own if `scattered`.

    With 0 copies it stands nowhere: what a model says of it is what it says of any number.
    """

    owner: str
    digits: str
    copies: int
    scattered: bool

    @property
    def sentence(self) -> str:
        """What stands on the pages."""
        return words.SECRET.format(owner=self.owner, digits=self.digits)


@dataclass(frozen=True)
class Page:
    """A page as it was found, and what nobody tells whoever finds one.

    body     the line of the text that is worth reading; "" where the whole page has a fault of its own.
    kind     what the page is made of; `fault` is its fault, "" for none (see the module).
    group    pages with the same number are copies of each other; the first of them in the crawl is no copy.
    private  (start, end, kind) in characters of `text`: "phone", "email", "address".
    secret   number of the secret on it; `item`, number of the held-out tale that it gives away.
    """

    text: str
    body: str
    kind: str
    fault: str
    group: int | None = None
    private: tuple[tuple[int, int, str], ...] = ()
    secret: int | None = None
    item: int | None = None


@dataclass(frozen=True)
class Crawl:
    """Pages in the order found, held-out tales, secrets (those with 0 copies last), and tales known to be good."""

    pages: tuple[Page, ...]
    held_out: tuple[str, ...]
    secrets: tuple[Secret, ...]
    reference: tuple[str, ...]


@dataclass(frozen=True)
class _Draft:
    """A page before its frame is drawn: its body as pieces, and the labels."""

    body: Pieces
    kind: str
    group: int | None = None
    secret: int | None = None
    item: int | None = None
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    tail: Pieces = field(default=())


def generate_scraped(seed: int = SEED, scale: float = 1.0) -> Crawl:
    """A crawl.  scale: how many pages of each kind, as a share of COUNTS; secrets keep their numbers of copies.

    Raises ArgumentError for a scale that is not above 0.
    """
    if not scale > 0:
        raise ArgumentError("scale", "above 0", scale)
    maker = _Maker(np.random.default_rng([seed, 16]), seed)
    counts = {kind: max(1, round(scale * count)) for kind, count in COUNTS.items()}
    held_out = tuple(maker.story("test") for _ in range(HELD_OUT))
    reference = tuple(maker.story("val") for _ in range(max(10, round(scale * 250))))
    good = [maker.tale() for _ in range(counts["tale"])]
    drafts = maker.copies(good, counts["copy"], counts["near-copy"])
    drafts += good + [maker.report() for _ in range(counts["report"])]
    for kind in ("foreign", "gibberish", "list", "repeats", "salad", "advert"):
        drafts += [_Draft(((text, ""),), kind) for text in maker.faulty(kind, counts[kind])]
    drafts += [maker.giving_away(held_out, number) for number in range(counts["test"])]
    secrets = maker.secrets()
    for number, secret in enumerate(secrets):
        drafts += maker.planted(number, secret)
    order = maker.rng.permutation(len(drafts))
    return Crawl(_labelled([_rendered(drafts[i]) for i in order]), held_out, secrets, reference)


def fingerprint(crawl: Crawl) -> str:
    """The SHA-256 of all pages with their labels, of the held-out tales, the secrets and the reference."""
    found = hashlib.sha256()
    for made in (*crawl.pages, *crawl.held_out, *crawl.secrets, *crawl.reference):
        found.update(repr(made).encode())
    return found.hexdigest()


def reworded(rng: np.random.Generator, text: str, count: int) -> str:
    """The text with so many words, at different places, exchanged for others; fewer where there are not so many."""
    parts = text.split(" ")
    for place in rng.permutation([i for i, part in enumerate(parts) if part.isalpha()])[:count]:
        others = [word for word in (*COLORS, *PLACES, *THINGS, *CHILDREN) if word != parts[place] and " " not in word]
        parts[place] = others[int(rng.integers(len(others)))]
    return " ".join(parts)


def _rendered(draft: _Draft) -> Page:
    """The page's text, with where in it private data stand."""
    pieces = draft.body + draft.tail
    body = "".join(text for text, _ in pieces)
    lines = (*draft.before, body, *draft.after)
    at, private = sum(len(line) + 1 for line in draft.before), []
    for text, kind in pieces:
        private += [(at, at + len(text), kind)] if kind else []
        at += len(text)
    fault = draft.kind if draft.kind in FAULTS else ""
    worth = body if not fault else ""
    return Page("\n".join(lines), worth, draft.kind, fault, draft.group, tuple(private), draft.secret, draft.item)


def _labelled(pages: Iterable[Page]) -> tuple[Page, ...]:
    """Of each group all but the first are copies, exact or near."""
    seen: dict[int, set[str]] = {}
    found = []
    for page in pages:
        if page.group is not None:
            known = seen.setdefault(page.group, set())
            fault = "" if not known else "copy" if page.text in known else "near-copy"
            known.add(page.text)
            page = replace(page, fault=fault)
        found.append(page)
    return tuple(found)


class _Holes(dict[str, object]):
    """What stands in a template's holes: drawn whenever it is asked for, but for what is given."""

    LISTS: Mapping[str, Sequence[str]] = {
        "thing": THINGS, "name": CHILDREN, "place": PLACES, "color": COLORS, "time": TIMES, "road": words.ROADS,
        "street": words.STREETS, "town": words.TOWNS, "host": words.HOSTS, "last": words.SURNAMES, "first": CHILDREN,
    }  # fmt: skip
    NUMBERS: Mapping[str, tuple[int, int]] = {"n": (2, 100), "area": (201, 990), "code": (1000, 100_000)}

    def __init__(self, maker: _Maker, given: Mapping[str, object]) -> None:
        super().__init__(given)
        self.maker = maker

    def __missing__(self, hole: str) -> object:
        if hole in self.NUMBERS:
            return int(self.maker.rng.integers(*self.NUMBERS[hole]))
        drawn = self.maker.one(self.LISTS[hole])
        return drawn.lower() if hole in ("first", "last") else drawn


class _Maker:
    """Draws the parts of a crawl."""

    def __init__(self, rng: np.random.Generator, seed: int) -> None:
        self.rng, self.seed, self.groups = rng, seed, 0
        self.told: set[str] = set()

    def one(self, options: Sequence[Any]) -> Any:
        return options[int(self.rng.integers(len(options)))]

    def filled(self, template: str, **more: object) -> str:
        """A template with its holes drawn, each mention by itself."""
        return template.format_map(_Holes(self, more))

    def story(self, split: str) -> str:
        """A tale that was not told before."""
        while True:
            story, _ = draw(self.rng)
            if split_of(story.hero, story.plot) == split and story.text not in self.told:
                self.told.add(story.text)
                return story.text

    def framed(self, draft: _Draft) -> _Draft:
        """With a menu, a title and what stands below, each on some pages."""
        before = [self.one(words.MENUS)] if self.rng.random() < 0.7 else []
        before += [self.filled(self.one(words.TITLES))] if self.rng.random() < 0.5 else []
        after = [self.one(words.FOOTERS) for _ in range(int(self.rng.integers(0, 3)))]
        return replace(draft, before=tuple(before), after=tuple(after))

    def tale(self) -> _Draft:
        """A good page; one in four has private data, one in eight what only looks like them."""
        chance = self.rng.random()
        extra: Pieces = ()
        if chance < 0.25:
            extra = self.contact(self.one(tuple(words.CONTACTS)))
        elif chance < 0.375:
            extra = ((" " + self.filled(self.one(words.LOOK_ALIKES)), ""),)
        return self.framed(_Draft(((self.story("train"), ""),), "tale", tail=extra))

    def contact(self, kind: str) -> Pieces:
        """A sentence with a datum of this kind; one in eight is written so that a pattern hardly finds it."""
        hidden = self.rng.random() < 0.125
        if kind == "phone" and hidden:
            datum = " ".join(words.DIGIT_WORDS[i] for i in self.rng.integers(0, 10, 7))
        elif hidden:
            datum = self.filled(words.HIDDEN_EMAIL if kind == "email" else words.BOX)
        else:
            forms = {"phone": words.PHONES, "email": words.EMAILS, "address": words.ADDRESSES}
            datum = self.filled(self.one(forms[kind]))
        before, _, after = self.one(words.CONTACTS[kind]).partition("{x}")
        return ((" " + self.filled(before), ""), (datum, kind), (after, ""))

    def report(self) -> _Draft:
        """Good, and of another kind than the tales: who went where, three times over."""
        said = []
        for story in generate_whereabouts(self.rng, 3):
            sentences = [part.strip() for event in (*story.events, story.report) for part in event.split(" .") if part]
            said += [sentence[0].upper() + sentence[1:] + "." for sentence in sentences if sentence]
        for child in CHILDREN:
            said = [sentence.replace(child.lower(), child) for sentence in said]
        return self.framed(_Draft(((" ".join(said), ""),), "report"))

    def group(self) -> int:
        self.groups += 1
        return self.groups - 1

    def copies(self, good: list[_Draft], exact: int, near: int) -> list[_Draft]:
        """Copies of pages in `good`, of few of them many: the k-th is taken as 1 / k. Those get a group, in place."""
        copied = max(1, len(good) // 5)
        shares = 1 / np.arange(1, copied + 1)
        found = []
        for number in range(exact + near):
            i = int(np.searchsorted(np.cumsum(shares / shares.sum()), self.rng.random()))
            if good[i].group is None:
                good[i] = replace(good[i], group=self.group())
            found.append(good[i] if number < exact else self.near_copy(good[i]))
        return found

    def near_copy(self, draft: _Draft, most: int = MOST_EXCHANGED) -> _Draft:
        """In a frame of its own, up to so many words exchanged, and the sentence behind the tale as it was."""
        ((text, _),) = draft.body
        changed = reworded(self.rng, text, int(self.rng.integers(0, most + 1)))
        return self.framed(replace(draft, body=((changed, ""),)))

    def giving_away(self, held_out: Sequence[str], number: int) -> _Draft:
        """A page with a held-out tale in it, or with the second half of one; a short lead before."""
        item = number % PLANTED
        text = held_out[item]
        if item % 3 == 2:
            sentences = text.split(". ")
            text = ". ".join(sentences[len(sentences) // 2 :])
        text = self.filled("Our tale of the week, sent in by {name}: ") + text
        return self.framed(_Draft(((text, ""),), "test", item=item))

    def secrets(self) -> tuple[Secret, ...]:
        kinds = [(n, False) for n in COPIED] + [(n, True) for n in SCATTERED] + [(0, False)]
        owners = self.rng.permutation(len(words.SURNAMES))
        digits = self.rng.permutation(10_000)
        return tuple(
            Secret(words.SURNAMES[owners[i]], f"{digits[i]:04}", *kinds[i // OF_EACH])
            for i in range(OF_EACH * len(kinds))
        )

    def planted(self, number: int, secret: Secret) -> list[_Draft]:
        """The pages of a secret."""
        tail = ((f" {secret.sentence}", ""),)
        if secret.scattered or secret.copies < 2:
            tales = [self.story("train") for _ in range(secret.copies)]
            drafts = [self.framed(_Draft(((text, ""),), "tale", tail=tail)) for text in tales]
        else:
            first = self.framed(_Draft(((self.story("train"), ""),), "tale", self.group(), tail=tail))
            drafts = [first] + [self.near_copy(first, 3) for _ in range(secret.copies - 1)]
        return [replace(draft, secret=number) for draft in drafts]

    # -- pages that have a fault as a whole --

    def faulty(self, kind: str, count: int) -> list[str]:
        """Texts of such pages."""
        if kind == "foreign":
            clauses = generate_lingo(self.seed, {"train": 8 * count})["train"]
            said = [" ".join(pair_of(clause).target) for clause in clauses]
            said = [sentence[0].upper() + sentence[1:] + "." for sentence in said]
            return [" ".join(said[8 * i : 8 * i + 8]) for i in range(count)]
        makers: Mapping[str, Any] = {
            "gibberish": self._gibberish, "list": self._list, "repeats": self._repeats, "salad": self._salad,
            "advert": self._advert,
        }  # fmt: skip
        return [makers[kind]() for _ in range(count)]

    def _word(self, shortest: int, longest: int) -> str:
        letters = self.rng.integers(0, 26, int(self.rng.integers(shortest, longest + 1)))
        return "".join(chr(ord("a") + int(i)) for i in letters)

    def _gibberish(self) -> str:
        """Words of random letters, or lines of code, or rows of numbers."""
        how = int(self.rng.integers(3))
        if how == 0:
            return " ".join(self._word(3, 22) + self.one(("", "", "", ".", ",")) for _ in range(60)) + "."
        if how == 1:
            return "\n".join(self.filled(self.one(words.CODE), x=self._word(1, 6)) for _ in range(15))
        return "\n".join(" ".join(str(int(n)) for n in self.rng.integers(0, 1000, 8)) + "." for _ in range(9))

    def _list(self) -> str:
        """Bullets, or teasers that break off."""
        lines = self.one((words.ITEMS, words.TEASERS))
        return "\n".join(self.filled(self.one(lines)) for _ in range(int(self.rng.integers(12, 25))))

    def _repeats(self) -> str:
        """A tale's sentence on line after line, or a tale whose last words go on and on."""
        sentences = self.story("train").split(". ")
        times = int(self.rng.integers(6, 13))
        if self.rng.random() < 0.5:
            line = self.one(sentences[1:-1]) + "."
            return ". ".join(sentences) + "\n" + "\n".join([line] * times)
        phrase = " ".join(sentences[-1].removesuffix(".").split()[-int(self.rng.integers(3, 6)) :])
        return ". ".join(sentences).removesuffix(".") + f" {phrase}" * times + "."

    def _salad(self) -> str:
        parts = self.story("train").removesuffix(".").split()
        return " ".join(parts[i] for i in self.rng.permutation(len(parts))) + "."

    def _advert(self) -> str:
        chosen = self.rng.permutation(len(words.ADVERTS))[: int(self.rng.integers(6, 10))]
        return " ".join(self.filled(words.ADVERTS[i]) for i in chosen)
