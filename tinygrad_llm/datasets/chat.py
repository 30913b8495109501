"""`chat`: requests whose right answers are known, dialogues made of them, and pages of them as a book of exercises has.

    what is to be done    Which comes last : cup river cat ?
    and in which form     Say it twice .
    a right answer        cat . cat .

A request has a *task* and a *form* of its answer. `follows(request, answer)` knows whether an answer does as it is
told, in both; where several answers are right, as of "Name two animals .", it takes any of them. A space
stands between any two tokens: so a word is the same token wherever it stands.

What training texts never have is known, in three depths:

    contents   pairs of words, one in eight: `is_held_out`. Test requests have these alone.
    forms      of each task one, UNSEEN_FORM, though the task is there in other forms, and the form with other tasks.
    tasks      those that nothing here is trained on, NEW_TASKS; and any that the caller leaves out of `tasks`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tinygrad_llm.datasets import chat_words as words
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.ranges import check_whole

SPLITS = ("train", "test")
FORMS = {
    "plain": "",
    "sentence": "Answer in a sentence .",
    "twice": "Say it twice .",
    "loudly": "Say it loudly .",
    "politely": "Be polite .",
}
"""form -> how it is asked for."""
BEGINS = {"sentence": "The answer is this : ", "politely": "Gladly : "}
FEWEST, MOST = 2, 3
"""Words of a list, and what children have."""


class Drawn(NamedTuple):
    """What fills the places of a request's wording, the words of its answer, and the kind that any of them may have."""

    fills: tuple[str, ...]
    words: tuple[str, ...]
    kind: str = ""


class Task(NamedTuple):
    """wordings, of which a request has one; draw(rng, held_out) draws contents, held out or not."""

    wordings: tuple[str, ...]
    draw: Callable[[np.random.Generator, bool], Drawn]


@dataclass(frozen=True)
class Request:
    """What a user says, and what is known of it.

    task, form  of TASKS or NEW_TASKS, and of FORMS.
    text        the request itself.
    words       those of a right answer.
    kind        "" where no other words are right; else any as many different ones of that kind are.
    """

    task: str
    form: str
    text: str
    words: tuple[str, ...]
    kind: str = ""

    @property
    def answer(self) -> str:
        """A right answer."""
        return said(self.form, self.words)


def said(form: str, answer: Sequence[str]) -> str:
    """The words of an answer in a form."""
    listed = f"{' '.join(answer)} {'!' if form == 'loudly' else '.'}"
    return f"{listed} {listed}" if form == "twice" else BEGINS.get(form, "") + listed


def read(form: str, text: str) -> tuple[str, ...] | None:
    """The words that a text says in this form, or None: the inverse of `said`."""
    listed = text.removeprefix(BEGINS.get(form, ""))
    listed = listed[: len(listed) // 2] if form == "twice" else listed
    found = tuple(listed[:-2].split(" "))
    return found if all(map(str.isalpha, found)) and said(form, found) == text else None


def form_of(answer: str) -> str | None:
    """The form that an answer has; None for one in no form."""
    return next((form for form in FORMS if read(form, answer) is not None), None)


def is_right(request: Request, answer: Sequence[str]) -> bool:
    """Whether these words answer the request, in whatever form they were said."""
    if not request.kind:
        return tuple(answer) == request.words
    return len(answer) == len(set(answer)) == len(request.words) and set(answer) <= set(words.KINDS[request.kind])


def follows(request: Request, answer: str) -> bool:
    """Whether an answer is right, and in the form that was asked for."""
    found = read(request.form, answer)
    return found is not None and is_right(request, found)


PLACE = {word: n for n, word in enumerate((*words.NOUNS, *words.CHILDREN, *words.NUMBERS, *words.KINDS))}


def is_held_out(a: str, b: str) -> bool:
    """Whether these two, in this order, are the first and the last word of a list, a child and its thing, or a number
    and a kind in test requests alone."""
    return (PLACE[a] + 3 * PLACE[b]) % 8 == 0


def _one(rng: np.random.Generator, options: Sequence[str]) -> str:
    return options[int(rng.integers(len(options)))]


def _several(rng: np.random.Generator, options: Sequence[str], count: int) -> tuple[str, ...]:
    return tuple(options[i] for i in rng.permutation(len(options))[:count])


def _list(rng: np.random.Generator, held_out: bool) -> tuple[str, ...]:
    while True:
        drawn = _several(rng, words.NOUNS, int(rng.integers(FEWEST, MOST + 1)))
        if is_held_out(drawn[0], drawn[-1]) == held_out:
            return drawn


def _of_a_list(answer: Callable[[tuple[str, ...]], tuple[str, ...]]) -> Callable[[np.random.Generator, bool], Drawn]:
    def draw(rng: np.random.Generator, held_out: bool) -> Drawn:
        drawn = _list(rng, held_out)
        return Drawn((" ".join(drawn),), answer(drawn))

    return draw


def _middle(rng: np.random.Generator, held_out: bool) -> Drawn:
    while len(drawn := _list(rng, held_out)) != 3:
        pass
    return Drawn((" ".join(drawn),), drawn[1:2])


def _without(rng: np.random.Generator, held_out: bool) -> Drawn:
    drawn = _list(rng, held_out)
    left = _one(rng, drawn)
    return Drawn((left, " ".join(drawn)), tuple(word for word in drawn if word != left))


def _choose(rng: np.random.Generator, held_out: bool) -> Drawn:
    while True:
        drawn = _list(rng, held_out)
        kind = words.KIND_OF[_one(rng, drawn)]
        found = tuple(word for word in drawn if words.KIND_OF[word] == kind)
        if len(found) == 1:
            return Drawn((kind, " ".join(drawn)), found)


def _name(rng: np.random.Generator, held_out: bool) -> Drawn:
    while True:
        count, kind = int(rng.integers(FEWEST, MOST + 2)), _one(rng, tuple(words.KINDS))
        if is_held_out(words.NUMBERS[count - 1], kind) == held_out:
            return Drawn((words.NUMBERS[count - 1], f"{kind}s"), _several(rng, words.KINDS[kind], count), kind)


def _kind(rng: np.random.Generator, held_out: bool) -> Drawn:
    word = _one(rng, words.NOUNS)
    return Drawn((word,), (words.KIND_OF[word],))


def _opposite(rng: np.random.Generator, held_out: bool) -> Drawn:
    word = _one(rng, tuple(words.OPPOSITE))
    return Drawn((word,), (words.OPPOSITE[word],))


def _having(about: int) -> Callable[[np.random.Generator, bool], Drawn]:
    """Who has what: `about` is the place of what is asked for, 0 the child and 1 the thing."""

    def draw(rng: np.random.Generator, held_out: bool) -> Drawn:
        while True:
            count = int(rng.integers(FEWEST, MOST + 1))
            pairs = list(zip(_several(rng, words.CHILDREN, count), _several(rng, words.KINDS["thing"], count)))
            asked = pairs[int(rng.integers(count))]
            if is_held_out(*asked) == held_out:
                told = " ".join(f"{child} has a {thing} ." for child, thing in pairs)
                return Drawn((told, asked[1 - about]), (asked[about],))

    return draw


TASKS = {
    "repeat": Task(("Repeat these : {} .", "Say this : {} ."), _of_a_list(lambda drawn: drawn)),
    "reverse": Task(("Say this backwards : {} .", "Turn around : {} ."), _of_a_list(lambda drawn: drawn[::-1])),
    "first": Task(("Which comes first : {} ?", "Say the first of these : {} ."), _of_a_list(lambda drawn: drawn[:1])),
    "last": Task(("Which comes last : {} ?", "Say the last of these : {} ."), _of_a_list(lambda drawn: drawn[-1:])),
    "count": Task(
        ("How many are these : {} ?", "Count these : {} ."), _of_a_list(lambda drawn: (words.NUMBERS[len(drawn) - 1],))
    ),
    "without": Task(("Leave out {} : {} .", "Say all but {} : {} ."), _without),
    "choose": Task(("Which is a kind of {} : {} ?", "Find the {} : {} ."), _choose),
    "kind": Task(("What kind of word is {} ?", "Say what {} is ."), _kind),
    "name": Task(("Name {} {} .", "List {} {} ."), _name),
    "opposite": Task(("What is the opposite of {} ?", "Turn {} into its opposite ."), _opposite),
    "who": Task(("{} Who has the {} ?", "{} Whose is the {} ?"), _having(0)),
    "what": Task(("{} What does {} have ?", "{} Say what {} has ."), _having(1)),
}
NEW_TASKS = {"middle": Task(("Which is in the middle : {} ?", "Say the middle one of these : {} ."), _middle)}
UNSEEN_FORM = {task: tuple(FORMS)[1 + n % (len(FORMS) - 1)] for n, task in enumerate(TASKS)}
"""task -> the form that no training text asks of it."""


def generate_requests(
    rng: np.random.Generator,
    count: int,
    split: str = "train",
    *,
    tasks: Sequence[str] = tuple(TASKS),
    unseen: bool = False,
    wording: int | None = None,
) -> list[Request]:
    """So many requests, of each task, form and wording alike often.

    split    whose contents; facts, of kinds and opposites, are the same in both.
    unseen   False: forms that training texts ask of a task. True: the one that they never do.
    wording  its number, where all shall have the same.

    Raises ArgumentError for another split, for no tasks or unknown ones, and for unseen forms of a new task.
    """
    check_whole(count=count)
    if split not in SPLITS:
        raise ArgumentError("split", " or ".join(SPLITS), repr(split))
    known = TASKS if unseen else TASKS | NEW_TASKS
    if not tasks or not set(tasks) <= set(known):
        raise ArgumentError("tasks", f"some of {', '.join(known)}", list(tasks))
    made = []
    for _ in range(count):
        name = _one(rng, tasks)
        task, lacking = known[name], UNSEEN_FORM.get(name)
        form = UNSEEN_FORM[name] if unseen else _one(rng, [form for form in FORMS if form != lacking])
        drawn = task.draw(rng, split == "test")
        asked = task.wordings[int(rng.integers(len(task.wordings))) if wording is None else wording]
        text = f"{asked.format(*drawn.fills)} {FORMS[form]}".rstrip()
        made.append(Request(name, form, text, drawn.words, drawn.kind))
    return made


def generate_dialogues(
    rng: np.random.Generator, count: int, *, tasks: Sequence[str] = tuple(TASKS), most: int = 1
) -> list[list[dict[str, str]]]:
    """Dialogues of one to `most` training requests, each with its answer: messages as chat templates take them."""
    check_whole(count=count, most=most)
    return [
        [
            message
            for request in generate_requests(rng, int(rng.integers(1, most + 1)), tasks=tasks)
            for message in (
                {"role": "user", "content": request.text},
                {"role": "assistant", "content": request.answer},
            )
        ]
        for _ in range(count)
    ]


def generate_pages(
    rng: np.random.Generator, count: int, *, tasks: Sequence[str] = tuple(TASKS), lines: int = 5, answered: float = 0.5
) -> list[str]:
    """Pages of a book of exercises: training requests of one task in one wording, a line each.

    On a share `answered` of the pages a right answer stands under each request. On the others none does: as a web page
    may have questions without answers, after one there comes the next.
    """
    check_whole(count=count, lines=lines)
    pages = []
    for _ in range(count):
        task = _one(rng, tasks)
        requests = generate_requests(rng, lines, tasks=[task], wording=int(rng.integers(len(TASKS[task].wordings))))
        has_answers = rng.random() < answered
        pages.append("".join(f"{r.text}\n{r.answer}\n" if has_answers else f"{r.text}\n" for r in requests))
    return pages


def generate_copybook(rng: np.random.Generator, count: int, *, lines: int = 3, times: int = 3) -> list[str]:
    """Pages on which lists of two to five words stand several times each, as where somebody learns to write."""
    check_whole(count=count, lines=lines, times=times)
    pages = []
    for _ in range(count):
        lists = [_several(rng, words.NOUNS, int(rng.integers(2, 6))) for _ in range(lines)]
        pages.append("".join(f"{' '.join(listed)} .\n" * times for listed in lists))
    return pages
