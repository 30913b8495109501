"""Models as people have them: a run of `tgl train` or `tgl finetune`, a folder of Hugging Face's, one of peft's."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.errors import ArgumentError, CheckpointError, reason
from tinygrad_llm.files import read_regular
from tinygrad_llm.finetune.houlsby import Houlsby
from tinygrad_llm.finetune.methods import folded, prepared
from tinygrad_llm.finetune.model import PeftModel
from tinygrad_llm.finetune.peft_files import CONFIG, load_adapter
from tinygrad_llm.finetune.peft_prompts import PREFIX, PROMPT, load_virtual_tokens
from tinygrad_llm.finetune.prompt import PromptModel
from tinygrad_llm.finetune.settings import settings_from_dict
from tinygrad_llm.models.decoder import Decoder
from tinygrad_llm.models.hugging_face import from_hugging_face, from_pretrained, to_hugging_face
from tinygrad_llm.quantize import QuantizedLinear
from tinygrad_llm.tokenizer import TEMPLATES, Tokenizer, load_tokenizer
from tinygrad_llm.train.checkpoint import Checkpoint, exists, load_checkpoint
from tinygrad_llm.train.run import model_of, tokenizer_of

THEIRS = (
    "config.json", "tokenizer.json", "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)  # fmt: skip
"""Files by which a folder in Hugging Face's layout is known, whole or not."""
JINJA = "chat_template.jinja"
FINETUNE = "finetune"
"""The document of a checkpoint that says how the model came about: its template, method and base; of `tgl align` also
the settings by which the model was made of its base, and whether it writes or only rates."""
OPTIMIZER = "optimizer.safetensors"


@dataclass(frozen=True)
class Opened:
    """model      a language model; of an adapter merged into it where that can be.
    template   the name of the chat template that it was trained with, None where nobody says.
    folder     where its files are: a checkpoint, or a folder of Hugging Face's or peft's.
    base       the folder of the model that it was fine-tuned from, None where it was not, or that is not there.
    """

    model: Any
    tokenizer: Tokenizer
    template: str | None
    folder: Path
    base: Path | None = None


def open_model(path: str | Path, base: str | Path | None = None, *, fold: bool = True) -> Opened:
    """From a run's folder (its best checkpoint, else its last), a checkpoint, a folder in Hugging Face's layout, or one
    in peft's.

    base  the model below an adapter, where it is no longer where it was.
    fold  merges adapters, which makes a model fast; packed weights stay packed, and what bends stays beside.

    Raises CheckpointError for anything else, and for an adapter whose base is another one now.
    """
    folder = Path(os.path.abspath(path))  # "." has no name, and a checkpoint's siblings are found by theirs
    if (saved := checkpoint_in(folder)) is not None:
        if FINETUNE in saved.documents:
            return _finetuned(saved, folder, base, fold)
        return Opened(model_of(saved), tokenizer_of(saved), None, saved.path)
    if (folder / CONFIG).exists():
        return _of_peft(folder, base, fold)
    if any((folder / name).exists() for name in THEIRS):
        model = from_pretrained(folder)
        if not isinstance(model, Decoder):
            next_step = "Open it in Python: from_pretrained(path)"
            raise CheckpointError(str(folder), "a decoder", type(model).__name__, next_step)
        return Opened(model, load_tokenizer(folder), template_in(folder), folder)
    raise CheckpointError(str(folder), "a run's folder, a checkpoint, or a model", "neither", "Train one: tgl train")


def checkpoint_in(folder: Path) -> Checkpoint | None:
    """A run's best checkpoint, else its last; or the folder itself, where it is a checkpoint."""
    for candidate in (folder / "checkpoint" / "best", folder / "checkpoint" / "last", folder):
        if exists(candidate) and ((candidate / "manifest.json").exists() or candidate != folder):
            return load_checkpoint(candidate)
    return None


def open_base(path: str | Path) -> Opened:
    """A plain decoder in float32, to be fine-tuned.  Raises CheckpointError where it can be none."""
    opened = open_model(path)
    model = opened.model
    if not isinstance(model, Decoder) or any(isinstance(m, QuantizedLinear) for _, m in model.named_modules()):
        next_step = "Merge it first: tgl merge. What bends or stands before a text cannot be merged."
        raise CheckpointError(str(path), "a model without adapters", "one that has some", next_step)
    if model.token_embedding.weight.dtype != np.float32:
        model = from_hugging_face(*to_hugging_face(model), np.float32)
    return Opened(model, opened.tokenizer, opened.template, opened.folder)


def _finetuned(saved: Checkpoint, folder: Path, base: str | Path | None, fold: bool) -> Opened:
    about = saved.document(FINETUNE)
    if not about.get("writes", True):
        next_step = "It rates answers, from which another model learns: tgl align --reward-model FOLDER"
        raise CheckpointError(
            str(folder), "a model that writes", f"one of tgl align --method {about['method']}", next_step
        )
    model, below = rebuilt(saved, folder, base)
    return Opened(
        merged_where_fast(model) if fold else model, tokenizer_of(saved), about.get("template"),
        saved.path, below,
    )  # fmt: skip


def rebuilt(saved: Checkpoint, out: Path, base: str | Path | None = None) -> tuple[Any, Path | None]:
    """The model of a checkpoint of `tgl finetune` or `tgl align`, as it is trained; and the folder of the model that it
    came of."""
    about = saved.document(FINETUNE)
    config = settings_from_dict(about.get("settings") or saved.document("run")["config"])
    if config.method == "full":
        below = [Path(place) for place in (about.get("base") or {}).get("at", ()) if Path(place).exists()]
        return from_hugging_face(saved.document("config"), saved.group("model"), np.float32), next(iter(below), None)
    opened = base_of(about.get("base"), out, base)
    model = prepared(opened.model, tokenizer_of(saved).vocab_size, config)
    assign({name: p for name, p in model.named_parameters() if p.requires_grad}, saved.group("trained"), saved.path)
    return model, opened.folder


def assign(parameters: Mapping[str, Tensor], arrays: Mapping[str, Any], path: Path) -> None:
    """Gives each parameter its array.  Raises CheckpointError where these are others."""
    if {name: p.shape for name, p in parameters.items()} != {name: array.shape for name, array in arrays.items()}:
        raise CheckpointError(str(path), "the tensors of its configuration", "other tensors", "Was it altered?")
    for name, p in parameters.items():
        p.assign(arrays[name])


def base_of(about: Any, out: Path, given: str | Path | None) -> Opened:
    """The model below an adapter: where it was, or there as seen from the run, or where it is said to be."""
    about = about if isinstance(about, Mapping) else {}
    places = [given] if given is not None else [os.path.normpath(out / place) for place in about.get("at", ())]
    for place in places:
        if Path(place).exists():
            opened = open_base(place)
            if weights_sum(opened.folder) != about.get("sha256"):
                next_step = "The adapter fits only the weights that it was trained beside: name them with --base."
                raise CheckpointError(str(place), "the base of this adapter", "other weights", next_step)
            return opened
    got = f"nothing at {', '.join(map(str, places))}"
    raise CheckpointError("base", "the model that this adapter was trained beside", got, "Name it: --base FOLDER.")


def weights_sum(folder: Path) -> str:
    """SHA-256 of the weights in a folder, name by name."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.safetensors")):
        if file.name != OPTIMIZER:
            digest.update(file.name.encode() + b"\0")
            try:
                with open(file, "rb") as content:
                    digest.update(hashlib.file_digest(content, "sha256").digest())
            except OSError as error:
                raise CheckpointError(str(file), "weights", reason(error)) from error
    return digest.hexdigest()


def _of_peft(folder: Path, base: str | Path | None, fold: bool) -> Opened:
    """An adapter that peft saved, on the base that is given, else on the one that it names."""
    said, _ = load_adapter(folder)
    place = base if base is not None else said.get("base_model_name_or_path")
    if not isinstance(place, str | Path) or not place or not Path(place).exists():
        got = f"the name {place!r}, which is no folder here"
        raise CheckpointError(f"{folder}/{CONFIG}", "the folder of its base", got, "Name it: --base FOLDER.")
    below = open_base(place)
    model: Any
    if said.get("peft_type") in (PREFIX, PROMPT):
        model = load_virtual_tokens(below.model, folder)
        model = model.as_prefix() if isinstance(model, PromptModel) else model
    else:
        model = PeftModel.from_pretrained(below.model, folder)
    has_own = any((folder / name).exists() for name in ("tokenizer.json", "tgl_tokenizer.json"))
    tokenizer = load_tokenizer(folder) if has_own else below.tokenizer
    template = template_in(folder) or below.template
    return Opened(merged_where_fast(model) if fold else model, tokenizer, template, folder, below.folder)


def merged_where_fast(model: Any) -> Any:
    """The model with its adapters merged where that is a plain model, which has fast steps; else the model itself."""
    if not isinstance(model, PeftModel):
        return model
    parts = [module for _, module in model.named_modules()]
    return model if any(isinstance(part, Houlsby | QuantizedLinear) for part in parts) else folded(model)


def plain_model(opened: Opened) -> Decoder:
    """The model of Opened(fold=False) as one without adapters, its packed weights unpacked.

    Raises ArgumentError for an adapter that is no linear layer, or that stands before a text.
    """
    model = folded(opened.model)
    if not isinstance(model, Decoder):
        next_step = "Keep the run: tgl chat and tgl sample read it as it is."
        raise ArgumentError("merge", "an adapter that can be added to weights", f"a {type(model).__name__}", next_step)
    return model


def template_in(folder: Path) -> str | None:
    """The name of the template in chat_template.jinja, None where there is none or one that is not known here."""
    if not (folder / JINJA).exists():
        return None
    text = read_regular(folder / JINJA, "a chat template").decode("utf-8", errors="replace").rstrip("\n")
    return next((name for name, template in TEMPLATES.items() if template.jinja() == text), None)
