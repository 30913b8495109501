"""`tgl merge`: a fine-tuned run as a plain model, in Hugging Face's layout."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from tinygrad_llm.cli.flags import command
from tinygrad_llm.cli.train import as_typed
from tinygrad_llm.finetune.export import export
from tinygrad_llm.finetune.opened import open_model
from tinygrad_llm.quantize import QuantizedLinear

ABOUT = """Adds an adapter to the weights of its base and writes what comes of it, in float32, as a folder in Hugging
Face's layout with its tokenizer. The run stays as it is."""


@dataclass(frozen=True)
class MergeFlags:
    """See each field's help."""

    run: str = field(metadata={"help": "folder of a run of tgl finetune, or of an adapter in peft's layout"})
    out: str = field(metadata={"help": "new folder for the merged model"})
    base: str | None = field(
        default=None, metadata={"help": "the model below the adapter, where it is no longer where it was"}
    )


@command(MergeFlags, prog="tgl merge", about=ABOUT, positional=["run"])
def main(flags: MergeFlags) -> int:
    """Writes the folder."""
    opened = open_model(flags.run, flags.base, fold=False)
    if any(isinstance(module, QuantizedLinear) for _, module in opened.model.named_modules()):
        print("The base has 4 bits a weight: what is merged is what these stand for, in float32, and the adapter.")
    model = export(opened, Path(os.path.abspath(flags.out)))
    print(f"{flags.out}: {model.n_parameters():,} parameters, {type(model).__name__}")
    print(f"Try next: {as_typed('tgl', 'chat', flags.out)}")
    return 0
