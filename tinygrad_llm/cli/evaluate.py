"""`tgl eval`: how well a trained model predicts a text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from tqdm import tqdm

from tinygrad_llm.autograd import no_grad
from tinygrad_llm.backend import blas_threads
from tinygrad_llm.cli.flags import parse
from tinygrad_llm.cli.load import load_model
from tinygrad_llm.datasets.batches import sequential
from tinygrad_llm.datasets.text import read_text
from tinygrad_llm.train.step import count_targets


@dataclass(frozen=True)
class EvalFlags:
    """See each field's help."""

    run: str = field(metadata={"help": "folder of a run, a checkpoint, or a model"})
    text: str = field(metadata={"help": "text file to predict"})
    batch_size: int = field(default=32, metadata={"help": "sequences at a time"})


def main(argv: Sequence[str]) -> int:
    """Prints nats a token, perplexity and bits a byte."""
    about = "A trained model's loss on a text."
    given, _ = parse(argv, EvalFlags, prog="tgl eval", about=about, positional=["run", "text"])
    flags = EvalFlags(**given)
    model, tokenizer = load_model(flags.run)
    text = read_text(flags.text)
    tokens = tokenizer.encode_array(text)
    batches = list(sequential(tokens, model.config.block_size, flags.batch_size))
    count = count_targets(batches)
    with no_grad(), blas_threads():
        loss = sum(model.loss(batch, divisor=count).item() for batch in tqdm(batches, disable=None, leave=False))
    bits = loss / math.log(2) * count / len(text.encode("utf-8"))
    print(f"{loss:.4f} nats a token   perplexity {math.exp(loss):.3f}   {bits:.4f} bits a byte   ({count:,} tokens)")
    return 0
