"""A fine-tuned model written as a plain one: a folder in Hugging Face's layout, with its tokenizer and template."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from tinygrad_llm.errors import ConfigError, StorageError, reason
from tinygrad_llm.files import load_json
from tinygrad_llm.finetune.opened import JINJA, Opened, plain_model
from tinygrad_llm.models.hugging_face import save_pretrained
from tinygrad_llm.tokenizer import MOST_JSON, TEMPLATES, ExtendedTokenizer, Tokenizer

THEIR_TOKENIZER = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.json", "merges.txt", "vocab.txt",
    "added_tokens.json",
)  # fmt: skip


def export(opened: Opened, out: Path) -> Any:
    """Writes the model without adapters into the new folder `out`, whole or not at all; returns it.

    Raises ConfigError where the folder holds something, ArgumentError for an adapter that cannot be merged, and
    StorageError where the disk refuses.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError("out", "a folder that is new or empty", str(out), "Choose another --out.")
    model = plain_model(opened)
    new = out.with_name(out.name + ".new")
    try:
        shutil.rmtree(new, ignore_errors=True)  # of an earlier try that did not end
        new.mkdir(parents=True)
        save_pretrained(model, new)
        _write_tokenizer(opened.tokenizer, opened.base or opened.folder, new)
        if opened.template is not None:
            (new / JINJA).write_text(TEMPLATES[opened.template].jinja(), encoding="utf-8")
        if out.exists():
            out.rmdir()
        os.rename(new, out)
    except OSError as error:
        shutil.rmtree(new, ignore_errors=True)
        if isinstance(error, StorageError):
            raise
        raise StorageError(str(out), "a folder that can be written", reason(error), "Choose another --out.") from error
    return model


def _write_tokenizer(tokenizer: Tokenizer, source: Path, out: Path) -> None:
    """Their own files where the tokenizer is theirs, with the tokens that were added here; else ours."""
    there = [name for name in THEIR_TOKENIZER if (source / name).exists()]
    if isinstance(tokenizer, ExtendedTokenizer) and "tokenizer.json" in there:
        document = load_json(source / "tokenizer.json", "a tokenizer in JSON", MOST_JSON)
        same: dict[str, Any] = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
        first = tokenizer.base.vocab_size
        added = [{"id": first + i, "content": text, **same, "special": True} for i, text in enumerate(tokenizer.added)]
        document["added_tokens"] = [*document.get("added_tokens", []), *added]
        (out / "tokenizer.json").write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
        there = [name for name in there if name in ("tokenizer_config.json", "special_tokens_map.json")]
    elif isinstance(tokenizer, ExtendedTokenizer) or not there or "tgl_tokenizer.json" in os.listdir(source):
        tokenizer.save(out)
        return
    for name in there:
        shutil.copyfile(source / name, out / name)
