"""`chat`: requests whose right answers are known, dialogues made of them, and books of exercises that have them too.

    how, what and of what    twice say the last of : cup red cat .
    a right answer           cat . cat .

A request has a *task*, what is to be said, and a *form*, how. `follows(request, answer)` knows whether an answer does
as it is told, in both. A space stands between any two tokens: so a word is the same token wherever it stands.

    dialogues  a user asks, an assistant answers: what one is tuned on.
    books      Exercise : twice say the last of : cup red cat . Solution : cat . cat . Exercise : …
    a paper    the same exercises without a word around them: after a request there comes the next.

What may be held out is known, in three depths: *contents*, one in ten pairs of a list's first and last word, see
`is_held_out`, of which test requests alone are made; *forms* and *tasks* are the caller's, who leaves some out of what
is asked for in dialogues, and not in books.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tinygrad_llm.datasets import chat_words as words
from tinygrad_llm.datasets.draws import one_of
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.ranges import check_whole

SPLITS = ("train", "test")
LISTED = 3
"""Words of a list."""


class Form(NamedTuple):
    """ask  the word that asks for it, before all else.
    begin, end  what stands around the words of the answer.
    times  how often all that is said.
    """

    ask: str
    begin: str
    end: str
    times: int = 1


FORMS = {
    "plain": Form("", "", "."),
    "twice": Form("twice", "", ".", 2),
    "loudly": Form("loudly", "", "!"),
    "kindly": Form("kindly", "gladly : ", "."),
    "fully": Form("fully", "the answer is ", "."),
}
LAYOUTS = (("Exercise :", "Solution :"), ("Question :", "The answer :"), ("Task", "Result :"))
"""What stands before an exercise of a book, and before its answer: there are three books."""

Contents = tuple[str, ...]


class Task(NamedTuple):
    """asked  its wording, with a place for what `draw` fills in.
    draw(rng, held_out)  the words of a request's list, held out or not, and what fills the place in `asked`.
    answer(contents, fill)  the words of the right answer.
    """

    asked: str
    draw: Callable[[np.random.Generator, bool], tuple[Contents, str]]
    answer: Callable[[Contents, str], Contents]


@dataclass(frozen=True)
class Request:
    """What a user says, and what is known of it: of TASKS and of FORMS; the text; the words of the right answer."""

    task: str
    form: str
    text: str
    words: Contents

    @property
    def answer(self) -> str:
        """The right answer."""
        return said(self.form, self.words)


def said(form: str, answer: Sequence[str]) -> str:
    """The words of an answer in a form."""
    _, begin, end, times = FORMS[form]
    return " ".join([f"{begin}{' '.join(answer)} {end}"] * times)


def read(form: str, text: str) -> Contents | None:
    """The words that a text says in this form, or None: the inverse of `said`."""
    _, begin, _, times = FORMS[form]
    found = text.removeprefix(begin).split(" ")
    answer = tuple(found[: len(found) // times - 1])
    return answer if answer and all(map(str.isalpha, answer)) and said(form, answer) == text else None


def form_of(answer: str) -> str | None:
    """The form that an answer has; None for one in no form. What could be plain words, too, is in the other form."""
    fitting = [form for form in FORMS if read(form, answer) is not None]
    return fitting[-1] if fitting else None


def follows(request: Request, answer: str) -> bool:
    """Whether an answer is right, and in the form that was asked for."""
    return answer == request.answer


def is_held_out(first: str, last: str) -> bool:
    """Whether lists that begin and end with these two words stand in test requests alone."""
    return (words.NOUNS.index(first) + 3 * words.NOUNS.index(last)) % 8 == 0


def draw_list(rng: np.random.Generator, held_out: bool = False) -> Contents:
    """Three different words, held out or not."""
    while True:
        drawn = tuple(words.NOUNS[i] for i in rng.permutation(len(words.NOUNS))[:LISTED])
        if is_held_out(drawn[0], drawn[-1]) == held_out:
            return drawn


def _list(rng: np.random.Generator, held_out: bool) -> tuple[Contents, str]:
    return draw_list(rng, held_out), ""


def _odd_kind(rng: np.random.Generator, held_out: bool) -> tuple[Contents, str]:
    """A list and a kind that one of its words alone has."""
    while True:
        drawn = draw_list(rng, held_out)
        kinds = [words.KIND_OF[word] for word in drawn]
        alone = [kind for kind in kinds if kinds.count(kind) == 1]
        if alone:
            return drawn, one_of(rng, alone)


def _any_of(options: Sequence[str]) -> Callable[[np.random.Generator, bool], tuple[Contents, str]]:
    return lambda rng, held_out: ((one_of(rng, options),), "")


TASKS = {
    "first": Task("the first of", _list, lambda listed, _: listed[:1]),
    "second": Task("the second of", _list, lambda listed, _: listed[1:2]),
    "last": Task("the last of", _list, lambda listed, _: listed[-1:]),
    "all": Task("all of", _list, lambda listed, _: listed),
    "backwards": Task("the reverse of", _list, lambda listed, _: listed[::-1]),
    "ends": Task("both ends of", _list, lambda listed, _: (listed[0], listed[-1])),
    "choose": Task("the {} of", _odd_kind, lambda listed, kind: tuple(w for w in listed if words.KIND_OF[w] == kind)),
    "kind": Task("the kind of", _any_of(words.NOUNS), lambda one, _: (words.KIND_OF[one[0]],)),
    "opposite": Task("the opposite of", _any_of(tuple(words.OPPOSITE)), lambda one, _: (words.OPPOSITE[one[0]],)),
}


def make_request(task: str, form: str, contents: Contents, fill: str = "") -> Request:
    """The request of this task and form about these words; `fill` is the kind that "choose" asks for."""
    asked = f"{FORMS[form].ask} say {TASKS[task].asked.format(fill)} : {' '.join(contents)} .".strip()
    return Request(task, form, asked, TASKS[task].answer(contents, fill))


def generate_requests(
    rng: np.random.Generator,
    count: int,
    split: str = "train",
    *,
    tasks: Sequence[str] = tuple(TASKS),
    forms: Sequence[str] = tuple(FORMS),
) -> list[Request]:
    """So many requests, of each of the tasks and of the forms alike often.

    split  whose contents; facts, of kinds and opposites, are the same in both.

    Raises ArgumentError for another split, and for no or unknown tasks or forms.
    """
    check_whole(count=count)
    if split not in SPLITS:
        raise ArgumentError("split", " or ".join(SPLITS), repr(split))
    for name, given, known in (("tasks", tasks, TASKS), ("forms", forms, FORMS)):
        if not given or not set(given) <= set(known):
            raise ArgumentError(name, f"some of {', '.join(known)}", list(given))
    made = []
    for _ in range(count):
        task, form = one_of(rng, tasks), one_of(rng, forms)
        made.append(make_request(task, form, *TASKS[task].draw(rng, split == "test")))
    return made


def dialogue_of(requests: Sequence[Request]) -> list[dict[str, str]]:
    """Each request with its answer: messages as chat templates take them."""
    return [
        {"role": role, "content": content}
        for request in requests
        for role, content in (("user", request.text), ("assistant", request.answer))
    ]


def generate_dialogues(
    rng: np.random.Generator,
    count: int,
    *,
    tasks: Sequence[str] = tuple(TASKS),
    forms: Sequence[str] = tuple(FORMS),
    most: int = 1,
) -> list[list[dict[str, str]]]:
    """Dialogues of one to `most` training requests, each with its answer."""
    check_whole(count=count, most=most)
    return [
        dialogue_of(generate_requests(rng, int(rng.integers(1, most + 1)), tasks=tasks, forms=forms))
        for _ in range(count)
    ]


def exercise(request: Request, answer: str = "", layout: int = 0) -> str:
    """A request as it stands in a book, up to where its answer comes; and with it, where one is given."""
    before, between = LAYOUTS[layout]
    return f"{before} {request.text} {between} {answer}".rstrip()


def generate_books(rng: np.random.Generator, count: int, *, lines: int = 4, shared: float = 0.5) -> list[str]:
    """Pages of `lines` exercises each, of any task in any form, with their solutions; of any of the books.

    On a share `shared` of the pages all lists are the same one: so there is something to be found further up.
    """
    check_whole(count=count, lines=lines)
    pages = []
    for _ in range(count):
        requests = generate_requests(rng, lines)
        if rng.random() < shared:
            listed = draw_list(rng)
            requests = [make_request(r.task, r.form, listed) if TASKS[r.task].draw is _list else r for r in requests]
        layout = int(rng.integers(len(LAYOUTS)))
        pages.append(" ".join(exercise(r, r.answer, layout) for r in requests))
    return pages


def generate_papers(rng: np.random.Generator, count: int, *, lines: int = 6) -> list[str]:
    """Pages of `lines` requests each, one after the other: nobody says what they are, and no answer stands there."""
    check_whole(count=count, lines=lines)
    return [" ".join(r.text for r in generate_requests(rng, lines)) for _ in range(count)]
