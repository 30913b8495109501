"""`tgl sample`: a trained model writes, and what it writes appears as it comes."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

import numpy as np

from tinygrad_llm.cli.flags import SPECIAL_HELP, command, in_flags
from tinygrad_llm.cli.load import beginning, load_model
from tinygrad_llm.generate import Sampler, generate
from tinygrad_llm.tokenizer.special import encode_text


@dataclass(frozen=True)
class SampleFlags:
    """See each field's help."""

    run: str = field(metadata={"help": "folder of a run, a checkpoint, or a model"})
    prompt: str | None = field(default=None, metadata={"help": "text to go on from; a line end where none is given"})
    tokens: int = field(default=400, metadata={"help": "how many tokens to write"})
    temperature: float = field(default=0.8, metadata={"help": "below 1 bolder, above 1 more varied"})
    top_k: int | None = field(default=None, metadata={"help": "keep the k most likely tokens"})
    top_p: float = field(default=1.0, metadata={"help": "keep the most likely tokens up to this probability"})
    special: str = field(default="refuse", metadata={"help": SPECIAL_HELP})
    greedy: bool = field(default=False, metadata={"help": "always the most likely token"})
    seed: int | None = field(default=None, metadata={"help": "same seed, same text"})
    device: str = field(default="cpu", metadata={"help": "cpu, cuda or auto"})


@command(SampleFlags, prog="tgl sample", about="Lets a trained model write.", positional=["run"])
def main(flags: SampleFlags) -> int:
    """Writes to standard output."""
    sampler = Sampler(flags.temperature, flags.top_k, flags.top_p, flags.greedy)
    model, tokenizer = load_model(flags.run)
    model.to(flags.device)
    prompt = beginning(tokenizer)
    if flags.prompt is not None:
        with in_flags(SampleFlags, text="--prompt"):
            prompt = encode_text(tokenizer, flags.prompt, flags.special).tolist()
    stream = tokenizer.stream_decoder(begun=flags.prompt is not None)
    sys.stdout.write(flags.prompt or "")
    for token in generate(model, prompt, flags.tokens, sampler, np.random.default_rng(flags.seed)):
        sys.stdout.write(stream.push(token))
        sys.stdout.flush()
    sys.stdout.write(stream.finish() + "\n")
    return 0
