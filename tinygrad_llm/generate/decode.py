"""A model writes: each token it draws is part of what it reads next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.backend import Array, blas_threads, fused, namespace, to_device, to_device_of, widened
from tinygrad_llm.backend.stream import new_stream
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.generate.reader import Reader
from tinygrad_llm.generate.sampling import Sampler
from tinygrad_llm.generate.stop import StopRule
from tinygrad_llm.models.base import LanguageModel
from tinygrad_llm.ops import log_softmax
from tinygrad_llm.ranges import check_whole

MOST_AT_ONCE = 16
"""Tokens that a GPU draws before the host looks at them."""
UNIFORM_BLOCK = 64
"""Numbers a row that are drawn at a time."""


@dataclass(frozen=True)
class Generated:
    """What was written after each prompt.

    tokens     the ids of each row, without its prompt; a stop id that ended the row is the last of them.
    log_probs  ln p of each of these tokens under the model itself (before the sampler's transforms), float64.
    stopped    whether a stop id or a stop string ended the row, and not `count`.
    """

    tokens: list[list[int]]
    log_probs: list[np.ndarray]
    stopped: list[bool]


def generate(
    model: LanguageModel,
    prompts: Any,
    count: int,
    sampler: Sampler,
    rng: np.random.Generator,
    *,
    stop_ids: Sequence[int] = (),
    stop_strings: Sequence[str] = (),
    tokenizer: Any = None,
) -> Any:
    """At most `count` token ids after each prompt.

    prompts       one prompt (a sequence of ids): its continuation is streamed, an iterator of ids as they are drawn.
                  Several (a sequence of sequences, of any lengths): all are written at once -> Generated.
    stop_ids      a row ends with the first of these that is drawn, and leaves the batch.
    stop_strings  a row ends where its text contains one of these; needs the `tokenizer`, whose decoding is the text.

    A model with a block_size reads the last block_size tokens of a prompt; a text that fills the block goes on from the
    last half of it (see Reader). Row b takes the b-th number of every draw of `rng`, whether other rows have ended or
    not. On a GPU the drawing happens there, and the host waits once for several tokens: one, then two, four, up to
    sixteen, so that the first word comes soon.

    Raises ArgumentError for an empty prompt, a negative count or what are no whole numbers, TokenError for unknown ids.
    """
    check_whole(0, count=count)
    several = len(prompts) > 0 and not isinstance(prompts[0], int | np.integer)
    rows = list(prompts) if several else [prompts]
    stop, around = StopRule(stop_ids, stop_strings, tokenizer, len(rows)), _around(model.device)
    with around():
        reader = Reader(model, rows)
        if several:
            return _collected(_draws(reader, count, sampler, rng, stop, True, nullcontext), len(rows), stop)
    return (token for _, token, _ in _draws(reader, count, sampler, rng, stop, False, around))


def _around(device: str) -> Callable[[], Any]:
    """What the model works within: one thread of BLAS, or one stream of the GPU, whose work can be recorded."""
    if device == "cpu":
        return blas_threads
    stream = new_stream()
    return lambda: stream


def _collected(drawn: Iterator[tuple[int, int, float]], rows: int, stop: StopRule) -> Generated:
    tokens: list[list[int]] = [[] for _ in range(rows)]
    log_probs: list[list[float]] = [[] for _ in range(rows)]
    for row, token, log_prob in drawn:
        tokens[row].append(token)
        log_probs[row].append(log_prob)
    return Generated(tokens, [np.array(row, np.float64) for row in log_probs], list(stop.stopped))


def _draws(
    reader: Reader,
    count: int,
    sampler: Sampler,
    rng: np.random.Generator,
    stop: StopRule,
    log_probs: bool,
    around: Callable[[], Any],
) -> Iterator[tuple[int, int, float]]:
    """(row, id, ln p) of every token, in the order of drawing; the model works within `around()`."""
    draw = _DrawOnGpu(sampler, log_probs) if reader.model.device == "cuda" else _Draw(sampler, log_probs)
    rows, uniform = np.arange(len(reader.texts)), _Uniform(rng, len(reader.texts))
    done, at_once, going, left = 0, 1, np.ones(len(rows), bool), len(rows)
    ids: Any = None  # of the last draw, where they were drawn: they are fed before the next
    while done < count and left:
        room = reader.room()  # what is drawn together is fed before a text is cropped
        at_once = min(at_once, count - done, MOST_AT_ONCE if room is None else max(1, room))
        steps = []
        with around():
            for _ in range(at_once):
                if ids is not None:
                    reader.feed(ids)
                ids, found = draw(reader, uniform.next(rows))
                steps.append(found)
            read = draw.read(steps)  # in the stream that the GPU worked in
        for host_ids, host_log_probs in read:
            reader.note(host_ids)
            for place in np.flatnonzero(going):
                row, token = int(rows[place]), int(host_ids[place])
                yield row, token, float(host_log_probs[place])
                going[place] = not stop.ends(row, token)
        left = int(np.count_nonzero(going))
        if 0 < left < draw.fullness * len(going):
            kept = np.flatnonzero(going)
            rows, going = rows[kept], going[kept]
            with around():
                ids = ids[to_device_of(kept, ids)]
                reader.keep(kept)
        done += at_once
        at_once = min(2 * at_once, draw.most_at_once)


class _Uniform:
    """Uniform numbers for all rows, a column a draw, whichever rows are left."""

    def __init__(self, rng: np.random.Generator, rows: int) -> None:
        self.rng, self.rows, self.block, self.used = rng, rows, np.empty((0, rows)), 0

    def next(self, rows: np.ndarray) -> np.ndarray:
        """One number for each of these rows."""
        if self.used == len(self.block):
            self.block, self.used = self.rng.random((1 if self.rows == 1 else UNIFORM_BLOCK, self.rows)), 0
        self.used += 1
        return self.block[self.used - 1, rows]


class _Draw:
    """Ids (B,) and their log-probabilities from the reader's logits, on the host."""

    most_at_once = 1
    fullness = 1.0
    """The share of a batch's rows below which those that have ended are taken out."""

    def __init__(self, sampler: Sampler, log_probs: bool) -> None:
        self.sampler, self.log_probs = sampler, log_probs

    def __call__(self, reader: Any, uniform_B: np.ndarray) -> tuple[Array, tuple]:
        logits = np.asarray(reader.logits, np.float64)
        ids = self.sampler.pick(logits, uniform_B, reader.texts)
        if not self.log_probs:
            return ids, (ids, np.zeros(len(ids)))
        shifted = logits - logits.max(1, keepdims=True)
        return ids, (ids, shifted[np.arange(len(ids)), ids] - np.log(np.exp(shifted).sum(1)))

    def read(self, steps: list[tuple]) -> list[tuple]:
        """Ids and log-probabilities of each step, on the host."""
        return steps


class _DrawOnGpu(_Draw):
    """The same by a kernel, without waiting: `read` waits."""

    def __init__(self, sampler: Sampler, log_probs: bool) -> None:
        super().__init__(sampler, log_probs)
        self.most_at_once = MOST_AT_ONCE if sampler.standard else 1
        self.fullness = 0.5 if sampler.standard else 1.0  # a batch of another size is another graph

    def __call__(self, reader: Any, uniform_B: np.ndarray) -> tuple[Array, tuple]:
        if not self.sampler.standard:  # the kernel knows no others, and texts are on the host
            ids, found = super().__call__(_OnHost(reader), uniform_B)
            return to_device(ids, "cuda"), found
        logits = reader.logits.astype(np.float32)
        xp = namespace(logits)
        ids = xp.zeros(len(logits), np.int64)
        fused(logits).draw(logits, ids, to_device(uniform_B, "cuda"), self.sampler)
        if not self.log_probs:
            return ids, (ids, None)
        log_probs = log_softmax.array(widened(reader.logits))[0]
        return ids, (ids, xp.take_along_axis(log_probs, ids[:, None], 1)[:, 0])

    def read(self, steps: list[tuple]) -> list[tuple]:
        """See _Draw; waits once.  Raises ArgumentError where logits were no numbers."""
        xp = namespace(steps[0][0])
        ids = to_device(xp.stack([ids for ids, _ in steps]), "cpu")
        if (ids < 0).any():
            raise ArgumentError("logits", "numbers, the largest of each row finite", "NaN or infinity")
        if not self.log_probs:
            return [(row, np.zeros(len(row))) for row in ids]
        return list(zip(ids, to_device(xp.stack([log_probs for _, log_probs in steps]), "cpu")))


class _OnHost:
    """A reader whose logits have been fetched."""

    def __init__(self, reader: Reader) -> None:
        self.logits, self.texts = to_device(reader.logits, "cpu"), reader.texts
