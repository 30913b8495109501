"""Byte-pair encoding beside tokenizers (training) and tiktoken (encoding).

    python -m benchmarks.bpe [--rounds 5]

Reads tinyshakespeare.txt and gpt2/ from $TINYGRAD_LLM_DATA. Alternating, medians, one thread each. Prints a table,
and one JSON line last. Needs tokenizers and tiktoken.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["RAYON_NUM_THREADS"] = "1"  # tokenizers', before it is imported

import tiktoken
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from tinygrad_llm.tokenizer import PATTERNS, BPETokenizer, RegexBPETokenizer

CS336_BYTES, CS336_MERGES = 130_000, 243


def seconds(task: Callable[[], Any]) -> float:
    """How long the task takes."""
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def side_by_side(rounds: int, *tasks: Callable[[], Any]) -> list[float]:
    """The median time of each, taken in turns."""
    times: list[list[float]] = [[] for _ in tasks]
    for _ in range(rounds):
        for own, task in zip(times, tasks):
            own.append(seconds(task))
    return [statistics.median(own) for own in times]


def train_elsewhere(text: str, merges: int) -> Tokenizer:
    """tokenizers' byte-level BPE."""
    other = Tokenizer(models.BPE())
    other.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    other.train_from_iterator(
        [text], trainers.BpeTrainer(vocab_size=256 + merges, initial_alphabet=alphabet, show_progress=False)
    )
    return other


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    folder = Path(os.environ.get("TINYGRAD_LLM_DATA", "."))
    text = (folder / "tinyshakespeare.txt").read_text(encoding="utf-8")
    files = folder / "gpt2" / "encoder.json", folder / "gpt2" / "vocab.bpe"

    (small,) = side_by_side(rounds, lambda: RegexBPETokenizer.train(text[:CS336_BYTES], 256 + CS336_MERGES))
    ours, theirs = side_by_side(rounds, lambda: RegexBPETokenizer.train(text, 756), lambda: train_elsewhere(text, 500))
    same_merges = RegexBPETokenizer.train(text, 756).encode(text) == train_elsewhere(text, 500).encode(text).ids

    gpt2 = RegexBPETokenizer.from_gpt2_files(*files)
    ranks = {token: i for i, token in enumerate(gpt2.tokens[:-1])}
    reference = tiktoken.Encoding("gpt2", pat_str=PATTERNS["gpt2"], mergeable_ranks=ranks, special_tokens={})
    cold: list[RegexBPETokenizer] = [RegexBPETokenizer.from_gpt2_files(*files) for _ in range(rounds)]
    same_ids = gpt2.encode(text) == reference.encode_ordinary(text)
    warm_s, cold_s, reference_s = side_by_side(
        rounds, lambda: gpt2.encode(text), lambda: cold.pop().encode(text), lambda: reference.encode_ordinary(text)
    )
    letters = "a" * 1_000_000
    one_letter = {
        name: seconds(lambda t=t: t.encode(letters))  # type: ignore[misc]
        for name, t in {"gpt2": gpt2, "bpe": BPETokenizer.train(text[:20_000], 400)}.items()
    }
    result = {
        "train_130kb_243_s": round(small, 4),
        "train_500_s": round(ours, 4),
        "train_500_tokenizers_s": round(theirs, 4),
        "train_ratio": round(ours / theirs, 3),
        "same_merges": same_merges,
        "encode_warm_speed": round(reference_s / warm_s, 3),
        "encode_cold_speed": round(reference_s / cold_s, 3),
        "tiktoken_s": round(reference_s, 4),
        "same_ids": same_ids,
        "megabyte_of_a_s": {name: round(s, 3) for name, s in one_letter.items()},
    }
    for name, value in result.items():
        print(f"{name:26}{value}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
