"""From a text to the arrays that a run needs: tokenizer, what to learn from, what to be judged by."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinygrad_llm.datasets.batches import Batch, Batches, sequential
from tinygrad_llm.datasets.download import find_file
from tinygrad_llm.datasets.locate import tales_files
from tinygrad_llm.datasets.text import read_text, split_text
from tinygrad_llm.errors import DataError
from tinygrad_llm.tokenizer import ByteTokenizer, CharTokenizer, RegexBPETokenizer, Tokenizer
from tinygrad_llm.tokenizer.special import encode_text
from tinygrad_llm.train.config import TrainConfig


@dataclass(frozen=True)
class Corpus:
    """Token ids of the text to learn from and of the held-out text, and the held-out text's length in UTF-8 bytes."""

    tokenizer: Tokenizer
    train: np.ndarray
    val: np.ndarray
    val_bytes: int

    @property
    def nats_to_bits_per_byte(self) -> float:
        """What a loss in nats a token is multiplied with to be in bits a byte, which no tokenizer can flatter."""
        return len(self.val) / self.val_bytes / float(np.log(2))

    def batches(self, config: TrainConfig) -> Batches:
        """batches[n]: windows at random places, see Batches."""
        return Batches(self.train, block_size=config.block_size, batch_size=config.batch_size, seed=config.seed)

    def held_out(self, config: TrainConfig) -> list[Batch]:
        """The held-out text in order, or `eval_batches` of it, evenly spread."""
        return list(sequential(self.val, config.block_size, 4 * config.batch_size, config.eval_batches or None))


def text_places(text: str | None, out: Path) -> list[str]:
    """Where a text is, absolute and as seen from the run's folder: one of them holds when folders are moved."""
    if text is None:
        return []
    place = os.path.abspath(text)
    try:
        return [place, Path(os.path.relpath(place, out)).as_posix()]  # the folder may be read on another system
    except ValueError:  # on another drive of Windows
        return [place]


def text_candidates(text: str | None, given: str | None, places: Sequence[str], out: Path) -> list[str | None]:
    """Where the text of a run may be now, the likeliest first; None is the generated corpus."""
    if text is None:
        return [None]
    if given is not None:
        return [given]
    paths = [text, *(os.path.normpath(out / place) for place in places)]  # an absolute path stays as it is
    return list(dict.fromkeys(path for path in paths if os.path.isfile(path))) or [text]


def fingerprint(corpus: Corpus) -> dict[str, int]:
    """Enough to notice that the text is another one, in the part to learn from or in the held-out one."""
    sums = {"checksum": _checksum(corpus.train), "val_checksum": _checksum(corpus.val)}
    return {"train_tokens": len(corpus.train), "val_tokens": len(corpus.val), **sums}


def is_of(corpus: Corpus, saved: Mapping[str, int]) -> bool:
    """Whether a saved fingerprint is this corpus'; earlier versions saved no sum of the held-out text."""
    mine = fingerprint(corpus)
    return {name: mine[name] for name in mine if name in saved or name != "val_checksum"} == saved


def _checksum(ids: np.ndarray) -> int:
    """Of the tokens and their order."""
    place = np.arange(1, len(ids) + 1, dtype=np.uint64)
    return int((place * (ids.astype(np.uint64) + 1)).sum() & 0xFFFFFFFF)


def load_corpus(config: TrainConfig, tokenizer: Tokenizer | None = None) -> Corpus:
    """Reads, splits and tokenizes. A resumed run passes its own tokenizer.

    A given text is split into its first nine tenths and the rest; tales comes with a split that holds out combinations.
    """
    if config.text is None:
        train_text, val_text = (read_text(path) for path in tales_files())
    else:
        train_text, val_text = split_text(read_text(config.text, config.newlines))
        if not val_text:
            raise DataError(
                config.text,
                "text for training and for validation",
                f"{len(train_text)} characters",
                "Use a longer text.",
            )
    tokenizer = tokenizer or make_tokenizer(config, train_text + val_text, train_text)
    train, val = (encode_text(tokenizer, text, config.special) for text in (train_text, val_text))
    for name, ids, least in (("text", train, config.block_size + 1), ("held-out text", val, 2)):
        if len(ids) < least:
            next_step = "Use a longer text or a smaller --block-size."
            raise DataError(name, f"at least {least} tokens", len(ids), next_step)
    return Corpus(tokenizer, train, val, len(val_text.encode("utf-8")))


def make_tokenizer(config: TrainConfig, whole: str, train_text: str) -> Tokenizer:
    """The alphabet is taken from the whole text, as an alphabet is known in advance; merges only from the training
    part."""
    if config.tokenizer == "char":
        return CharTokenizer.train(whole)
    if config.tokenizer == "byte":
        return ByteTokenizer()
    if config.tokenizer == "bpe":
        return RegexBPETokenizer.train(train_text, config.vocab_size)
    return RegexBPETokenizer.from_gpt2_files(find_file("gpt2/encoder.json"), find_file("gpt2/vocab.bpe"))
