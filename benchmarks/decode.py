"""Decoding with a key-value cache beside PyTorch's own loop and transformers' `generate`: tokens a second on the CPU.

    python -m benchmarks.decode [--arch gpt] [--rows 1,2,3] [--batches 1,16,64] [--rounds 5] [--threads 2]
                                [--no-transformers]

The same weights for all; each draws from the whole distribution at temperature 1 until the block is full. PyTorch's
loop has a preallocated cache, SDPA and `torch.inference_mode`; it knows GPT alone, so that of `--arch llama` and
`--arch mixtral` its numbers are null. These have half as many heads of keys and values as of queries, and MLPs of as
many weights as GPT's; the experts, 8 of which 2 are chosen, are half as wide. The contenders are processes that take
turns; what counts is the median over rounds. Prints a table, and one JSON line last: {"rows": [{"name", "batch",
"ours_tok_s", "torch_tok_s", "hf_tok_s", "ratio_torch", "ratio_hf"}]}. Needs torch and transformers.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.train_step import processor
from benchmarks.workload import ROWS, config_of

HF_TOKENS = 64
"""Tokens that transformers writes a turn: its pace does not depend on how many, and it is slow."""


def main() -> None:
    """Measures, and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arch", default="gpt", choices=("gpt", "llama", "mixtral"))
    parser.add_argument("--rows", default="1,2,3")
    parser.add_argument("--batches", default="1,16,64")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-transformers", action="store_true")
    flags = parser.parse_args()
    print(processor(), file=sys.stderr)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for number in (int(n) - 1 for n in flags.rows.split(",")):
            weights, name = saved_model(flags.arch, number, Path(folder)), ROWS[number]["name"]
            for batch in (int(b) for b in flags.batches.split(",")):
                kinds = ["ours"] + ["torch"] * (flags.arch == "gpt") + ["transformers"] * (not flags.no_transformers)
                result = measured(number, batch, kinds, flags.rounds, flags.threads, weights)
                results.append({"name": name if flags.arch == "gpt" else f"{flags.arch}, {name}"} | result)
                print(line(results[-1]), file=sys.stderr, flush=True)
    print(json.dumps({"rows": results}))


def saved_model(arch: str, number: int, folder: Path) -> Path:
    """One set of weights in Hugging Face's layout, which all of them open."""
    from tinygrad_llm.models import GPT, GPTConfig, Llama, LlamaConfig, save_pretrained

    sizes, rng = config_of(ROWS[number]), np.random.default_rng(0)
    if arch == "gpt":
        save_pretrained(GPT(GPTConfig(bias=False, **sizes), rng=rng), folder / str(number))
    else:
        hidden = sizes["n_embd"] * 8 // 3 // 16 * 16
        options = {"n_hidden": hidden, "n_kv_head": sizes["n_head"] // 2}
        if arch == "mixtral":
            options |= {"n_hidden": hidden // 2, "n_experts": 8, "experts_per_token": 2}
        save_pretrained(Llama(LlamaConfig(**sizes, **options), rng=rng), folder / str(number))
    return folder / str(number)


def measured(number: int, batch: int, kinds: list[str], rounds: int, threads: int, weights: Path) -> dict:
    """Median tokens a second of each, in turns."""
    contenders = {kind: Contender(kind, number, batch, threads, weights) for kind in kinds}
    rates: dict[str, list[float]] = {kind: [] for kind in kinds}
    for turn in range(rounds + 1):
        for kind, contender in contenders.items():
            rate = contender.turn()
            if turn:  # the first is a warm-up
                rates[kind].append(rate)
    for contender in contenders.values():
        contender.close()
    ours, *others = (statistics.median(rates[k]) if k in rates else None for k in ("ours", "torch", "transformers"))
    assert ours is not None
    torch, hf = ({"tok_s": rate and round(rate), "ratio": rate and round(ours / rate, 2)} for rate in others)
    result = {"batch": batch, "ours_tok_s": round(ours), "torch_tok_s": torch["tok_s"], "hf_tok_s": hf["tok_s"]}
    return result | {"ratio_torch": torch["ratio"], "ratio_hf": hf["ratio"]}


def line(row: dict) -> str:
    """A row for people."""
    text = f"{row['name']:40} batch {row['batch']:3}  ours {row['ours_tok_s']:7}"
    text += f"  torch {row['torch_tok_s']:7}  x {row['ratio_torch']:.2f}" if row["torch_tok_s"] else ""
    return text + (f"   transformers {row['hf_tok_s']:6}  x {row['ratio_hf']:.2f}" if row["hf_tok_s"] else "")


class Contender:
    """A child process that writes one text a row of the batch whenever it is told to."""

    def __init__(self, kind: str, number: int, batch: int, threads: int, weights: Path) -> None:
        command = [sys.executable, "-m", "benchmarks.decode_workload", kind, number, batch, threads, weights]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([str(part) for part in command], **pipes)  # type: ignore[call-overload]

    def turn(self) -> float:
        """Tokens a second of one batch of texts."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"a contender stopped: exit code {self.process.wait()}")
        return float(answer)

    def close(self) -> None:
        """Lets it end."""
        self.process.stdin.close()
        self.process.wait()


if __name__ == "__main__":
    main()
