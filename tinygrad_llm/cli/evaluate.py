"""`tgl eval`: how well a trained model predicts a text."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from tqdm import tqdm

from tinygrad_llm.autograd import no_grad
from tinygrad_llm.backend import blas_threads
from tinygrad_llm.cli.flags import SPECIAL_HELP, command
from tinygrad_llm.cli.load import load_model, text_of
from tinygrad_llm.datasets.batches import sequential
from tinygrad_llm.errors import TokenError
from tinygrad_llm.tokenizer.special import encode_text
from tinygrad_llm.train.step import count_targets

MOST_NATS = 709  # e to the power of more is no float64


@dataclass(frozen=True)
class EvalFlags:
    """See each field's help."""

    run: str = field(metadata={"help": "folder of a run, a checkpoint, or a model"})
    text: str = field(metadata={"help": "text file to predict; - reads standard input"})
    batch_size: int = field(default=32, metadata={"help": "sequences at a time"})
    special: str = field(default="refuse", metadata={"help": SPECIAL_HELP})
    newlines: str = field(
        default="keep", metadata={"help": "carriage returns: keep, or lf as a run with --newlines lf"}
    )


@command(EvalFlags, prog="tgl eval", about="A trained model's loss on a text.", positional=["run", "text"])
def main(flags: EvalFlags) -> int:
    """Prints nats a token, perplexity and bits a byte."""
    model, tokenizer = load_model(flags.run)
    text = text_of(flags.text, flags.newlines)
    try:
        tokens = encode_text(tokenizer, text, flags.special)
    except TokenError as error:
        if error.character != "\r":
            raise
        raise TokenError(
            error.name, error.expected, error.got, "Leave them out, as the run did: --newlines lf"
        ) from None
    batches = list(sequential(tokens, model.block_size, flags.batch_size))
    count = count_targets(batches)
    with no_grad(), blas_threads():
        shown = tqdm(batches, disable=None, leave=False)
        loss = sum(model.cross_entropy(batch, divisor=count).item() for batch in shown)
    bits = loss / math.log(2) * count / len(text.encode("utf-8"))
    perplexity = math.exp(loss) if loss < MOST_NATS else math.inf
    print(f"{loss:.4f} nats a token   perplexity {perplexity:.3f}   {bits:.4f} bits a byte   ({count:,} tokens)")
    return 0
