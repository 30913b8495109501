"""The crawl: each page has the fault that it is said to have, and nothing else; what is planted stands where it is said."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tinygrad_llm.datasets import scraped
from tinygrad_llm.datasets.lingo_words import ADJECTIVES
from tinygrad_llm.datasets.scraped import COUNTS, FAULTS, HELD_OUT, PLANTED, fingerprint, generate_scraped, reworded
from tinygrad_llm.datasets.tales import draw, split_of
from tinygrad_llm.errors import ArgumentError

SOURCES = (Path(__file__).resolve().parents[2] / "data" / "SOURCES.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def crawl():
    return generate_scraped()


def of(crawl, fault):
    return [page for page in crawl.pages if page.fault == fault]


def test_the_crawl_is_the_one_of_the_sources(crawl):
    assert fingerprint(crawl) in SOURCES
    assert f"{len(crawl.pages):,} pages" in SOURCES
    for fault, count in Counter(page.fault for page in crawl.pages if page.fault).items():
        assert re.search(rf"\| {fault} \| {count:,} \|", SOURCES), fault


def test_a_fingerprint_is_the_sum_of_all_that_is_told():
    small = generate_scraped(1, 0.02)
    told = "".join(map(repr, (*small.pages, *small.held_out, *small.secrets, *small.reference)))
    assert fingerprint(small) == hashlib.sha256(told.encode()).hexdigest()


def test_a_seed_gives_the_same_crawl_and_another_one_another():
    first, again, other = (generate_scraped(seed, 0.02) for seed in (1, 1, 2))
    assert first == again and not {p.body for p in first.pages if p.body} & {p.body for p in other.pages}


def test_there_are_as_many_pages_of_each_kind_as_was_asked(crawl):
    kinds = Counter(page.kind for page in crawl.pages)
    planted = sum(secret.copies for secret in crawl.secrets)
    copies = COUNTS["tale"] + COUNTS["copy"] + COUNTS["near-copy"] + planted
    assert kinds == {kind: n for kind, n in COUNTS.items() if "copy" not in kind} | {"tale": copies}
    assert {page.fault for page in crawl.pages} == {"", *FAULTS}
    half = Counter(page.kind for page in generate_scraped(3, 0.5).pages)
    assert all(
        half[kind] == COUNTS[kind] // 2 for kind in ("report", "foreign", "gibberish", "list", "salad", "advert")
    )


def test_a_copy_is_one_and_a_near_copy_has_most_words_in_common(crawl):
    first = {}
    for page in crawl.pages:
        if page.group is None:
            assert page.fault not in ("copy", "near-copy")
            continue
        earlier = first.setdefault(page.group, [])
        assert page.fault == ("" if not earlier else "copy" if page.text in [p.text for p in earlier] else "near-copy")
        earlier.append(page)
    for group in first.values():
        for page in group[1:]:
            a, b = group[0].body.split(), page.body.split()
            assert len(a) == len(b) and sum(x != y for x, y in zip(a, b)) <= 2 * scraped.MOST_EXCHANGED
            assert page.private == () or page.kind == "tale"
    assert max(map(len, first.values())) > 32


def test_good_bodies_are_one_line_of_the_page_and_differ(crawl):
    good = [page for page in of(crawl, "") if page.body]
    assert len(good) == len(of(crawl, "")) and len({page.body for page in good}) == len(good)
    for page in good:
        assert page.body in page.text.splitlines() and len(page.body.split()) >= 50
    for page in crawl.pages:
        assert bool(page.body) == (page.kind in ("tale", "report"))


def test_private_data_stand_where_it_is_said(crawl):
    forms = {
        "phone": r"\+1 \d{3} 555 01\d\d|\(\d{3}\) 555-01\d\d|\d{3}-555-01\d\d|\d{3}\.555\.01\d\d|([a-z]+ ){6}[a-z]+",
        "email": r"[a-z]+(\d+|\.[a-z]+)@(mail\.)?[a-z]+\.example|[a-z]+ at [a-z]+ dot example",
        "address": r"\d+ [A-Z][a-z]+ [A-Z][a-z]+, [A-Z][a-z]+( \d{5})?|P\.O\. Box \d+, [A-Z][a-z]+",
    }
    kinds = Counter()
    for page in crawl.pages:
        for start, end, kind in page.private:
            assert re.fullmatch(forms[kind], page.text[start:end]), page.text[start:end]
            kinds[kind] += 1
    assert len(kinds) == 3 and min(kinds.values()) > 50


def test_a_secret_stands_on_as_many_pages_as_it_says(crawl):
    assert Counter((s.copies, s.scattered) for s in crawl.secrets) == dict.fromkeys(
        [*((n, False) for n in (1, 4, 16, 48)), (16, True), (48, True), (0, False)], scraped.OF_EACH
    )
    assert len({s.owner for s in crawl.secrets}) == len({s.digits for s in crawl.secrets}) == len(crawl.secrets)
    for number, secret in enumerate(crawl.secrets):
        there = [page for page in crawl.pages if secret.owner in page.text and "safe" in page.text]
        assert len(there) == secret.copies and all(page.secret == number for page in there)
        assert all(page.body.endswith(f" {secret.sentence}") for page in there)
        assert re.fullmatch(r"\d{4}", secret.digits) and f" {secret.digits}." in secret.sentence
        groups = {page.group for page in there}
        expected = {None} if secret.scattered or secret.copies < 2 else groups - {None}
        assert groups == expected or not there
        assert len(groups) <= 1
        first = {page.text.split(". ")[0] for page in there}
        assert not secret.scattered or len(first) > secret.copies // 2


def test_held_out_tales_are_given_away_by_test_pages_alone(crawl):
    assert len(set(crawl.held_out)) == HELD_OUT
    whole, given = 0, set()
    for page in crawl.pages:
        shown = [n for n, item in enumerate(crawl.held_out) if item in page.text]
        if page.fault == "test":
            tail = crawl.held_out[page.item][-60:]
            assert tail in page.text and shown in ([], [page.item])
            whole += len(shown)
            given.add(page.item)
        else:
            assert not shown and page.item is None
    assert given == set(range(PLANTED)) and 0.5 * COUNTS["test"] < whole < COUNTS["test"]


def test_reference_and_held_out_tales_are_of_their_splits():
    rng = np.random.default_rng(5)
    story, _ = draw(rng)
    assert split_of(story.hero, story.plot) in ("train", "val", "test")
    small = generate_scraped(4, 0.05)
    bodies = {page.body for page in small.pages}
    assert not bodies & {*small.held_out, *small.reference} and not set(small.held_out) & set(small.reference)
    assert len(small.reference) == round(0.05 * 250)


def test_each_fault_shows(crawl):
    for page in of(crawl, "foreign"):
        words = page.text.lower().replace(".", "").split()
        assert not {"the", "and", "to", "of"} & set(words) and page.text.count(".") == 8
    assert any(set(ADJECTIVES.values()) & set(page.text.lower().split()) for page in of(crawl, "foreign"))
    for page in of(crawl, "list"):
        lines = page.text.splitlines()
        assert all(line[0] in "-*" for line in lines) or all(line.endswith("...") for line in lines)
    for page in of(crawl, "repeats"):
        runs = Counter(zip(*(page.text.split()[i:] for i in range(3))))
        assert max(runs.values()) >= 5
    for page in of(crawl, "salad"):
        assert page.text.endswith(".") and len(page.text.split()) >= 60
    kinds = Counter("{" in page.text or page.text[0].isdigit() for page in of(crawl, "gibberish"))
    assert min(kinds.values()) > COUNTS["gibberish"] // 5


def test_a_salad_has_a_tales_words_in_no_order(crawl):
    tales = " ".join(page.body for page in of(crawl, ""))
    known = set(zip(tales.split(), tales.split()[1:]))
    for page in of(crawl, "salad"):
        parts = page.text.removesuffix(".").split()
        pairs = list(zip(parts, parts[1:]))
        assert np.mean([pair in known for pair in pairs]) < 0.5


def test_rewording_exchanges_so_many_words():
    text = "the red kite was old and the tall pony ran to the market, it fell"
    for count in range(6):
        changed = reworded(np.random.default_rng(count), text, count)
        assert sum(a != b for a, b in zip(text.split(), changed.split())) == count
        assert len(changed.split()) == len(text.split()) and "market," in changed
    assert reworded(np.random.default_rng(0), "one, two.", 5) == "one, two."


@pytest.mark.parametrize("scale", [0, -1.0, float("nan")])
def test_a_scale_that_is_not_above_0_is_refused(scale):
    with pytest.raises(ArgumentError, match="scale: expected above 0"):
        generate_scraped(0, scale)
