"""Everything that a run of fine-tuning depends on, in one frozen record. Each field is a flag of `tgl finetune`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any

from tinygrad_llm.errors import ConfigError
from tinygrad_llm.ranges import Range, check_range, number, one_of, whole
from tinygrad_llm.tokenizer import TEMPLATES
from tinygrad_llm.train.config import TrainConfig
from tinygrad_llm.train.ranges import MOST, RANGES, SIZE

TEMPLATE_WORDS = ("auto", *TEMPLATES)
METHODS = ("lora", "full", "dora", "ia3", "adapter", "prefix", "qlora")


def setting(default: Any, text: str, allowed: Range | None = None) -> Any:
    """A field with its help, and what it may be."""
    return field(default=default, metadata={"help": text} | ({} if allowed is None else {"range": allowed}))


def _as_train(name: str, default: Any = MISSING) -> Any:
    """The setting of this name of `tgl train`, perhaps with another default."""
    found = next(f for f in fields(TrainConfig) if f.name == name)
    return field(default=found.default if default is MISSING else default, metadata=dict(found.metadata))


@dataclass(frozen=True)
class FinetuneConfig:
    """Sizes are in tokens, rates per step; see each field's help."""

    model: str | None = setting(None, "the model to begin with: a run's folder, or one in Hugging Face's layout")
    data: str | None = setting(
        None, "file of JSON lines: messages, prompt and completion, or as Alpaca or ShareGPT have them"
    )
    out: str | None = setting(None, "folder for log, checkpoints and curve; out/DATA-METHOD where none is given")
    method: str = setting(
        "lora", "lora, full, dora, ia3, adapter, prefix, or qlora (lora beside 4-bit weights)", one_of(METHODS)
    )
    template: str = setting(
        "auto", "how dialogues are written: chatml, llama3, plain, or auto (what suits the tokenizer)",
        one_of(TEMPLATE_WORDS),
    )  # fmt: skip
    add_letters: bool = setting(True, "letters that a tokenizer of letters lacks are added to the vocabulary")
    skip_bad_lines: bool = setting(False, "go on without the lines that cannot be read")
    held_out: float = setting(0.1, "share of the dialogues that are not learned from", number(0, 1, "()"))
    rank: int = setting(16, "rank of LoRA; width of adapters", whole(1, SIZE))
    alpha: float = setting(32.0, "what LoRA adds is scaled by alpha / rank", number(0, 1e6, "(]"))
    targets: str = setting(
        "", "layers with an adapter, as q_proj,v_proj; all linear ones of the blocks where none is given"
    )
    adapter_dropout: float = setting(0.0, "share of an adapter's input left out while training", number(0, 1, "[)"))
    virtual_tokens: int = setting(16, "length of a prefix", whole(1, SIZE))
    epochs: float = setting(10.0, "how often each dialogue is learned from", number(0, MOST, "(]"))
    steps: int | None = setting(None, "updates, in place of epochs")
    lr: float | None = setting(None, "highest learning rate; one that suits the method where none is given")
    batch_size: int = setting(8, "dialogues a batch")
    accumulate: int = _as_train("accumulate")
    final_lr: float = _as_train("final_lr", 0.0)
    warmup: int = _as_train("warmup", 10)
    schedule: str = _as_train("schedule")
    beta1: float = _as_train("beta1")
    beta2: float = _as_train("beta2")
    weight_decay: float = _as_train("weight_decay", 0.0)
    clip: float = _as_train("clip")
    eval_every: int = setting(50, "steps between evaluations on the dialogues held out")
    eval_batches: int = setting(0, "most batches an evaluation; 0 takes all dialogues held out")
    checkpoint_every: int = _as_train("checkpoint_every", 100)
    log_every: int = _as_train("log_every")
    seed: int = setting(1337, "seed of adapters' first weights, data order and dropout")
    threads: str = _as_train("threads")
    device: str = _as_train("device")
    precision: str = _as_train("precision")
    graph: bool = _as_train("graph")
    keep_pages: bool = _as_train("keep_pages")

    def __post_init__(self) -> None:
        for f in fields(self):
            allowed, value = f.metadata.get("range") or RANGES.get(f.name), getattr(self, f.name)
            if allowed is not None and value is not None:
                check_range(f.name, value, allowed)

    dtype = "float32"
    """Of the weights: what `tgl train` may choose, here is one."""

    @property
    def text(self) -> str | None:
        """What is learned from, under the name that a trainer asks for."""
        return self.data

    @property
    def smaller(self) -> str:
        """What to do where memory does not hold a step, besides smaller batches."""
        return "leave out the longest dialogues, or take a smaller model"

    def to_dict(self) -> dict[str, Any]:
        """Fit for JSON."""
        return asdict(self)


FREE_TO_CHANGE = frozenset(
    {"out", "steps", "eval_every", "eval_batches", "checkpoint_every", "log_every", "keep_pages", "threads", "graph"}
)
"""What a resumed run may set anew; all else makes another run."""


def settings_from_dict(document: Mapping[str, Any], kind: type[FinetuneConfig] = FinetuneConfig) -> Any:
    """The configuration that `to_dict` described.  Raises ConfigError for unknown or missing fields."""
    difference = sorted(set(document) ^ {f.name for f in fields(kind)})
    if difference:
        next_step = "Was it saved by another version?"
        raise ConfigError("config", "the fields of this version", f"others: {difference}", next_step)
    return kind(**document)
