"""What each setting may be, in one table: a setting has the same name and the same range wherever it is asked for."""

from __future__ import annotations

from tinygrad_llm.datasets.text import NEWLINES
from tinygrad_llm.optim import SCHEDULES
from tinygrad_llm.ranges import SEEDS, TEXT, Range, number, one_of, whole
from tinygrad_llm.tokenizer.special import SPECIAL
from tinygrad_llm.train.precision import PRECISIONS

MOST = 10**9
SIZE = 1 << 20

RANGES: dict[str, Range] = {
    # the model
    "n_layer": whole(1, 10_000),
    "n_head": whole(1, SIZE),
    "n_embd": whole(1, SIZE),
    "block_size": whole(1, SIZE),
    "vocab_size": whole(256, SIZE),
    "dropout": number(0, 1, "[)"),
    "arch": one_of(("gpt", "llama", "mixtral")),
    "n_kv_head": whole(0, SIZE),
    "window": whole(0, SIZE),
    "n_experts": whole(1, SIZE),
    "experts_per_token": whole(1, SIZE),
    "balance": number(0, 1000),
    # the run
    "tokenizer": one_of(("char", "byte", "bpe", "gpt2")),
    "special": one_of(SPECIAL),
    "newlines": one_of(NEWLINES),
    "steps": whole(1, MOST),
    "batch_size": whole(1, SIZE),
    "accumulate": whole(1, SIZE),
    "lr": number(0, 1000, "(]"),
    "final_lr": number(0, 1000),
    "warmup": whole(0, MOST),
    "schedule": one_of(SCHEDULES),
    "beta1": number(0, 1, "[)"),
    "beta2": number(0, 1, "[)"),
    "weight_decay": number(0, 1000),
    "clip": number(0, 1e9),
    "eval_every": whole(1, MOST),
    "eval_batches": whole(0, MOST),
    "checkpoint_every": whole(1, MOST),
    "log_every": whole(1, MOST),
    "seed": whole(0, 2**63 - 1),
    "threads": whole(1, 4096, "auto"),
    "device": one_of(("cpu", "cuda", "auto")),
    "precision": one_of(PRECISIONS),
    "dtype": one_of(("float32", "float64")),
    # writing
    "tokens": whole(0, MOST),
    "temperature": number(0, 1e6, "(]"),
    "top_k": whole(1, MOST),
    "top_p": number(0, 1, "(]"),
    "min_p": number(0, 1),
    "typical_p": number(0, 1, "(]"),
    "repetition_penalty": number(0, 1e6, "(]"),
    "presence_penalty": number(-1e6, 1e6),
    "frequency_penalty": number(-1e6, 1e6),
    "no_repeat_ngram_size": whole(0, MOST),
    "num_beams": whole(1, SIZE),
    "num_beam_groups": whole(1, SIZE),
    "diversity_penalty": number(0, 1e6),
    "length_penalty": number(0, 1000),
    "penalty_alpha": number(0, 1),
    # the course
    "seeds": SEEDS,
    "sample": whole(0, MOST),
}


def range_of(name: str, kind: type) -> Range | None:
    """The range of a setting of this type; text without an entry is free, a number without one has none."""
    found = RANGES.get(name)
    if found is not None and (found.kind is kind or (kind is str and found.words)):
        return found
    return TEXT if kind is str else None
