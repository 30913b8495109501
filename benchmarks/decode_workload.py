"""One contender of `benchmarks.decode`: at every line on standard input, batches of texts for a quarter of a second.

python -m benchmarks.decode_workload ours|torch|transformers ROW BATCH THREADS FOLDER
"""

from __future__ import annotations

import os
import sys
import time

import numpy as np

from benchmarks.decode import HF_TOKENS
from benchmarks.workload import ROWS

START = 0
TURN = 0.25
"""Seconds for which each writes batches of texts: what a turn costs until the caches are warm counts little then."""


def ours(batch: int, length: int, threads: int, folder: str):
    """tinygrad_llm.generate."""
    from tinygrad_llm.backend import keep_freed_pages
    from tinygrad_llm.generate import Sampler, generate
    from tinygrad_llm.models import from_pretrained

    keep_freed_pages(threads)
    model, rng = from_pretrained(folder), np.random.default_rng(0)

    def write() -> int:
        return sum(map(len, generate(model, [[START]] * batch, length - 1, Sampler(), rng).tokens))

    return write


def torch_loop(batch: int, length: int, threads: int, folder: str):
    """PyTorch's way, of a GPT: see CachedLoop."""
    import torch

    from benchmarks.torch_gpt import CachedLoop, like
    from tinygrad_llm.models import from_pretrained

    torch.set_num_threads(threads)
    return CachedLoop(like(from_pretrained(folder)), batch, length).write


def transformers_generate(batch: int, length: int, threads: int, folder: str):
    """transformers' `generate` with its defaults but for sampling from the whole distribution."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(threads)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    count = min(HF_TOKENS, length) - 1
    options = {"do_sample": True, "top_k": 0, "max_new_tokens": count, "min_new_tokens": count, "pad_token_id": START}

    def write() -> int:
        start = torch.full((batch, 1), START)
        return model.generate(start, attention_mask=torch.ones_like(start), **options)[:, 1:].numel()

    return write


def main() -> None:
    """Serves until standard input ends."""
    kind, number, batch, threads, folder = sys.argv[1], *(int(a) for a in sys.argv[2:5]), sys.argv[5]
    make = {"ours": ours, "torch": torch_loop, "transformers": transformers_generate}[kind]
    write = make(batch, ROWS[number]["block_size"], threads, folder)
    for _ in sys.stdin:
        start, tokens = time.perf_counter(), 0
        while time.perf_counter() - start < TURN:
            tokens += write()
        print(tokens / (time.perf_counter() - start), flush=True)


if __name__ == "__main__":
    main()
