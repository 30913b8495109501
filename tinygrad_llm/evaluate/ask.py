"""A model at its tasks: it answers questions, chooses among answers, and foretells texts.

    examinee = Examinee(model, tokenizer)
    answers = examinee.answers(questions)          # texts, the model's likeliest words
    scores = examinee.choices(choices)             # one row of ln p(choice | prompt) a choice
    bits = examinee.passages(passages)             # (N, 2) bits and bytes

A choice is scored by ln p of its tokens after those of the prompt. Where a tokenizer joins the prompt's end with the
choice's beginning, what all choices and the prompt begin with alike counts as the prompt, so that every choice answers
for the same text. Long choices have more tokens and so a smaller p; `by_byte` divides ln p by the choice's bytes.
Source: Gao et al., "A framework for few-shot language model evaluation", 2021 (acc and acc_norm there).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.autograd import no_grad
from tinygrad_llm.backend import blas_threads, to_device
from tinygrad_llm.datasets.batches import sequential
from tinygrad_llm.datasets.packing import Example, padded_batch
from tinygrad_llm.errors import DataError, TokenError
from tinygrad_llm.evaluate.rows import Progress, silently
from tinygrad_llm.evaluate.task import Choice, Passage, Question, Task
from tinygrad_llm.generate import Sampler, generate
from tinygrad_llm.generate.stop import ShownText
from tinygrad_llm.models.base import LanguageModel
from tinygrad_llm.tokenizer.base import Tokenizer
from tinygrad_llm.tokenizer.chat import ChatTemplate
from tinygrad_llm.tokenizer.special import encode_text, special_of

LINE_END = ("\n",)
"""Before this an answer ends where neither its line nor a template says anything."""
LONGEST_ANSWER = 64
"""Tokens, where a line says nothing."""
MOST_LOGITS = 1 << 26
"""Numbers that are computed at once where each token's probability is asked for: 256 MB of float32."""
WINDOW = 1024
"""Tokens that a model without a longest context is given at once."""


@dataclass
class Examinee:
    """model, tokenizer.
    template    how a question is put to a model that learned dialogues; None writes the prompt as it stands.
    name        of the file of tasks, for errors.
    special     what <|endoftext|> in a text is, as `encode_text` has it.
    batch_size  texts at a time.
    tokens      the longest answer, where a line says nothing.
    progress    shows how far it is.
    cropped     how many prompts were longer than the model's context, and lost their beginning.
    """

    model: LanguageModel
    tokenizer: Tokenizer
    template: ChatTemplate | None = None
    name: str = "tasks"
    special: str = "refuse"
    batch_size: int = 16
    tokens: int = LONGEST_ANSWER
    progress: Progress = silently
    cropped: int = 0

    def answers(self, questions: Sequence[Question]) -> list[str]:
        """What the model writes after each prompt, the likeliest token each time, without white space at its ends.

        Raises TokenError for a prompt that cannot be written in the model's tokens, with its line.
        """
        found = [""] * len(questions)
        prompts = [self._prompt(task) for task in questions]
        for group in self._batches([self._ending(task) for task in questions]):
            ids, strings, most = self._ending(questions[group[0]])
            self.cropped += sum(self._is_long(len(prompts[i])) for i in group)
            written = generate(
                self.model, [prompts[i] for i in group], most, Sampler(greedy=True), np.random.default_rng(0),
                stop_ids=ids, stop_strings=strings, tokenizer=self.tokenizer,
            )  # fmt: skip
            for i, tokens in zip(group, written.tokens):
                found[i] = _shown(ShownText(self.tokenizer, ids, strings), tokens).strip()
        return found

    def choices(self, choices: Sequence[Choice]) -> list[np.ndarray]:
        """ln p of each choice after its prompt, in nats: an array (choices,) a task.

        Raises TokenError as `answers`; DataError for a choice that is longer than the model's context.
        """
        examples: list[Example] = []
        for task in choices:
            examples += self._choice_examples(task)
        nats = self._log_probs(examples, "choices")
        return np.split(nats, np.cumsum([len(task.choices) for task in choices])[:-1]) if choices else []

    def passages(self, passages: Sequence[Passage]) -> np.ndarray:
        """Bits that each text takes, and its bytes, (N, 2): their sums' ratio is bits a byte.

        As `tgl eval MODEL TEXT` has it, in windows of the model's context; a text's first token is given. Raises
        TokenError as `answers`, DataError for a text of one token.
        """
        rows, owners = [], []
        for place, task in enumerate(passages):
            ids = self._encoded(task.text, task)
            if len(ids) < 2:
                raise DataError(f"{self.name}:{task.line}", "a text of at least 2 tokens", len(ids))
            windows = windows_of(ids, self.model.block_size)
            rows += windows
            owners += [place] * len(windows)
        nats = -np.bincount(owners, self._log_probs(rows, "texts"), len(passages))
        sizes = [len(task.text.encode("utf-8")) for task in passages]
        return np.stack([nats / math.log(2), np.array(sizes, np.float64)], 1)

    def _prompt(self, task: Question | Choice) -> list[int]:
        """What stands before an answer."""
        if self.template is None:
            return self._encoded(task.prompt, task).tolist()
        messages = [{"role": "user", "content": task.prompt}]
        with _Named(self.name, task):
            return self.template.encode(self.tokenizer, messages, add_generation_prompt=True).ids.tolist()

    def _ending(self, task: Question) -> tuple[tuple[int, ...], tuple[str, ...], int]:
        """By which ids and texts an answer ends, and after how many tokens."""
        special = special_of(self.tokenizer)
        strings = task.stop if task.stop is not None else LINE_END if self.template is None else ()
        if self.template is not None and self.template.end not in special:
            strings = (*strings, self.template.end)
        return tuple(special.values()), strings, task.tokens or self.tokens

    def _batches(self, keys: Sequence[Any]) -> Iterable[list[int]]:
        """Numbers of what has the same key, at most batch_size together."""
        groups: dict[Any, list[int]] = {}
        for place, key in enumerate(keys):
            groups.setdefault(key, []).append(place)
        size = self.batch_size
        parts = [group[i : i + size] for group in groups.values() for i in range(0, len(group), size)]
        return self.progress(parts, "answers")

    def _choice_examples(self, task: Choice) -> list[Example]:
        prompt = self._prompt(task)
        if self.template is None:
            whole = [self._encoded(task.prompt + choice, task).tolist() for choice in task.choices]
            shared = common_prefix([prompt, *whole])
        else:
            whole, shared = [prompt + self._encoded(choice, task).tolist() for choice in task.choices], len(prompt)
        if not shared or min(map(len, whole)) <= shared:  # nothing to begin from, or nothing that is left to foretell
            whole, shared = [prompt + self._encoded(choice, task).tolist() for choice in task.choices], len(prompt)
        longest = self.model.block_size
        self.cropped += any(self._is_long(len(ids) - 1) for ids in whole)
        out = []
        for ids in whole:
            begin = 0 if longest is None else max(0, len(ids) - longest - 1)
            if begin >= shared:
                got = f"{len(ids) - shared} tokens"
                raise DataError(f"{self.name}:{task.line}", f"choices of at most {longest} tokens", got)
            out.append((np.array(ids[begin:], np.int64), np.arange(begin, len(ids)) >= shared))
        return out

    def _encoded(self, text: str, task: Task) -> np.ndarray:
        with _Named(self.name, task):
            return encode_text(self.tokenizer, text, self.special)

    def _is_long(self, count: int) -> bool:
        return self.model.block_size is not None and count > self.model.block_size

    def _log_probs(self, examples: Sequence[Example], words: str) -> np.ndarray:
        return row_log_probs(self.model, examples, self.batch_size, self.progress, words)


def _shown(shown: ShownText, tokens: Sequence[int]) -> str:
    """What of the tokens is the answer: all up to where it ends."""
    text = ""
    for token in tokens:
        text += shown.push(token)
        if shown.ended:
            return text
    return text + shown.finish()


def row_log_probs(
    model: LanguageModel,
    examples: Sequence[Example],
    batch_size: int = 16,
    progress: Progress = silently,
    words: str = "",
) -> np.ndarray:
    """The summed ln p of each text's learned tokens, in nats.  N texts -> (N,) float64"""
    out = np.zeros(len(examples))
    order = sorted(range(len(examples)), key=lambda i: len(examples[i][0]))  # those of one length need no padding
    places: list[list[int]] = []
    for i in order:
        size = len(examples[i][0]) * model.vocab_size
        if not places or len(places[-1]) >= batch_size or (len(places[-1]) + 1) * size > MOST_LOGITS:
            places.append([])
        places[-1].append(i)
    with no_grad(), blas_threads():
        for group in progress(places, words):
            batch = padded_batch([examples[i] for i in group], 0)
            found = model.token_log_probs({name: to_device(array, model.device) for name, array in batch.items()})
            out[group] = to_device(found.data, "cpu").astype(np.float64).sum(1)
    return out


def windows_of(ids: np.ndarray, block_size: int | None) -> list[Example]:
    """A text in windows as long as the model's context, each token but the first foretold exactly once."""
    batches = sequential(ids, block_size or WINDOW, 1)
    rows = [np.append(batch["tokens"][0], batch["targets"][0, -1]) for batch in batches]
    return [(row, np.arange(len(row)) > 0) for row in rows]


def common_prefix(rows: Sequence[Sequence[int]]) -> int:
    """How many ids all rows begin with alike."""
    for place, ids in enumerate(zip(*rows)):
        if len(set(ids)) > 1:
            return place
    return min(map(len, rows))


def by_byte(task: Choice, log_probs: np.ndarray) -> np.ndarray:
    """ln p a byte of each choice.  (choices,) -> (choices,)"""
    return log_probs / [len(choice.encode("utf-8")) for choice in task.choices]


def shares_of(log_probs: np.ndarray) -> np.ndarray:
    """How probable each choice is, given that it is one of them.  (choices,) -> (choices,), sum 1"""
    weights = np.exp(log_probs - log_probs.max())
    return weights / weights.sum()


class _Named:
    """What cannot be written in the model's tokens is refused with the line where it stands."""

    def __init__(self, name: str, task: Task) -> None:
        self.place = f"{name}:{task.line}"

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, TokenError):
            raise TokenError(
                self.place, error.expected, error.got, error.next_step, character=error.character
            ) from None
