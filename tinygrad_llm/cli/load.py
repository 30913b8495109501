"""A trained model and its tokenizer, from wherever a user points at."""

from __future__ import annotations

from pathlib import Path

from tinygrad_llm.errors import CheckpointError, TokenError
from tinygrad_llm.models.gpt import GPT
from tinygrad_llm.models.hugging_face import from_pretrained
from tinygrad_llm.tokenizer import RegexBPETokenizer, Tokenizer, tokenizer_from_dict
from tinygrad_llm.train.checkpoint import exists, load_checkpoint
from tinygrad_llm.train.run import model_of


def load_model(path: str) -> tuple[GPT, Tokenizer]:
    """From a run's folder (its best checkpoint, else its last), a checkpoint, or a folder in Hugging Face's layout.

    Raises CheckpointError for anything else.
    """
    folder = Path(path)
    for candidate in (folder / "checkpoint" / "best", folder / "checkpoint" / "last", folder):
        if exists(candidate) and ((candidate / "manifest.json").exists() or candidate != folder):
            saved = load_checkpoint(candidate)
            return model_of(saved), tokenizer_from_dict(saved.document("tokenizer"))
    if (folder / "config.json").exists():
        files = folder / "vocab.json", folder / "merges.txt"
        model = from_pretrained(folder)
        if not isinstance(model, GPT):
            raise CheckpointError(
                str(folder), "a GPT", type(model).__name__, "Open it in Python: from_pretrained(path)"
            )
        return model, RegexBPETokenizer.from_gpt2_files(*files)
    raise CheckpointError(str(folder), "a run's folder, a checkpoint, or a model", "neither", "Train one: tgl train")


def beginning(tokenizer: Tokenizer) -> list[int]:
    """What to start from where no prompt is given: a line end, or token 0 where the vocabulary has none."""
    try:
        return tokenizer.encode("\n")
    except TokenError:
        return [0]
