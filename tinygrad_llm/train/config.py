"""Everything that a training run depends on, in one frozen record. Each field is a flag of `tgl train`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from tinygrad_llm.errors import ConfigError
from tinygrad_llm.models.gpt import GPTConfig
from tinygrad_llm.models.llama import LlamaConfig
from tinygrad_llm.ranges import check_range
from tinygrad_llm.train.ranges import RANGES


def _f(default: Any, text: str) -> Any:
    return field(default=default, metadata={"help": text})


ARCHS = {
    "n_kv_head": ("llama", "mixtral"), "window": ("llama", "mixtral"), "n_experts": ("mixtral",),
    "experts_per_token": ("mixtral",), "balance": ("mixtral",),
}  # fmt: skip
"""Settings that not all architectures have, and those that do."""


@dataclass(frozen=True)
class TrainConfig:
    """Sizes are in tokens, rates per step, seeds are whole numbers; see each field's help."""

    text: str | None = _f(None, "text file to learn from, - for standard input; the tales corpus where none is given")
    out: str | None = _f(None, "folder for log, checkpoints and curve; out/PRESET where none is given")
    tokenizer: str = _f("char", "char, byte, bpe (trained on the text), or gpt2 (its own files)")
    special: str = _f("refuse", "what <|endoftext|> in the text is: allow (the token), text, or refuse")
    newlines: str = _f("keep", "carriage returns: keep them, or lf (every line ends with \\n alone)")
    vocab_size: int = _f(512, "size of the vocabulary that --tokenizer bpe learns")
    arch: str = _f("gpt", "gpt, llama, or mixtral (llama with experts); as many weights a token in each")
    n_layer: int = _f(4, "transformer blocks")
    n_head: int = _f(4, "attention heads")
    n_embd: int = _f(128, "width of the model")
    block_size: int = _f(64, "context: how many tokens the model sees")
    dropout: float = _f(0.0, "share of activations left out while training")
    bias: bool = _f(False, "biases in linear layers and norms")
    n_kv_head: int = _f(0, "heads of keys and values that the attention heads share; 0 for one each (not gpt)")
    window: int = _f(0, "how many of the last tokens each layer sees; 0 for all (not gpt)")
    n_experts: int = _f(8, "experts a layer (mixtral)")
    experts_per_token: int = _f(2, "experts that each token goes through (mixtral)")
    balance: float = _f(0.01, "what the even use of the experts counts for in the loss (mixtral)")
    steps: int = _f(2000, "updates of the parameters")
    batch_size: int = _f(12, "sequences a batch")
    accumulate: int = _f(1, "batches a step, their gradients added up")
    lr: float = _f(1e-3, "highest learning rate")
    final_lr: float = _f(1e-4, "learning rate at the last step")
    warmup: int = _f(100, "steps in which the learning rate rises from 0")
    schedule: str = _f("cosine", "constant, linear or cosine")
    beta1: float = _f(0.9, "AdamW's memory of the gradient")
    beta2: float = _f(0.99, "AdamW's memory of the gradient's square")
    weight_decay: float = _f(0.1, "AdamW's decay of matrices")
    clip: float = _f(1.0, "longest gradient; 0 never clips")
    eval_every: int = _f(250, "steps between evaluations on held-out text")
    eval_batches: int = _f(0, "most batches an evaluation; 0 takes the whole held-out text")
    checkpoint_every: int = _f(500, "steps between checkpoints")
    log_every: int = _f(10, "steps between lines of the log")
    seed: int = _f(1337, "seed of first weights, data order and dropout")
    threads: str = _f("auto", "threads that share a batch; auto is one a core")
    device: str = _f("cpu", "cpu, cuda or auto")
    precision: str = _f("fp32", "fp32; on a GPU also tf32, or bf16 with float32 weights")
    graph: bool = _f(True, "on a GPU, record a step as a CUDA graph and replay it")
    dtype: str = _f("float32", "float32 or float64")
    keep_pages: bool = _f(True, "let the C library keep freed memory (glibc only)")

    def __post_init__(self) -> None:
        for f in fields(self):
            if f.name in RANGES:
                check_range(f.name, getattr(self, f.name), RANGES[f.name])
        self.model(vocab_size=1)  # refuses sizes that make no model

    def model(self, vocab_size: int) -> GPTConfig | LlamaConfig:
        """The model's part, for a vocabulary of this size.

        A SwiGLU has three matrices where an MLP has two: two thirds of its width, 8 D / 3, make as many weights. The
        experts of a token share that width, so that it is multiplied by as many.

        Raises ConfigError for what the architecture does not have.
        """
        for name, archs in ARCHS.items():
            if self.arch not in archs and getattr(self, name) != getattr(TrainConfig, name):
                raise ConfigError(name, f"no such setting of {self.arch}", getattr(self, name), "Choose another arch.")
        sizes = vocab_size, self.block_size, self.n_layer, self.n_head, self.n_embd
        if self.arch == "gpt":
            return GPTConfig(*sizes, self.dropout, self.bias)
        if self.bias and (self.window or self.arch == "mixtral"):
            raise ConfigError("bias", "none, with a window or with experts", self.bias)
        options: dict[str, Any] = {"qkv_bias": self.bias, "mlp_bias": self.bias, "dropout": self.dropout, "tied": True}
        options |= {"n_kv_head": self.n_kv_head or None, "window": self.window or None}
        shares = self.experts_per_token if self.arch == "mixtral" else 1
        if self.arch == "mixtral":
            options |= {"n_experts": self.n_experts, "experts_per_token": shares, "balance": self.balance}
        return LlamaConfig(*sizes, max(1, round(8 * self.n_embd / (3 * shares))), **options)

    @property
    def smaller(self) -> str:
        """What to do where memory does not hold a step, besides smaller batches."""
        return f"lower --block-size ({self.block_size}) or --n-layer ({self.n_layer})"

    def to_dict(self) -> dict[str, Any]:
        """Fit for JSON."""
        return asdict(self)


FREE_TO_CHANGE = frozenset(
    {"out", "steps", "eval_every", "eval_batches", "checkpoint_every", "log_every", "keep_pages", "threads", "graph"}
)
"""What a resumed run may set anew; all else makes another run."""


ADDED_LATER = frozenset({"precision", "graph", "special", "newlines", "arch", *ARCHS})
"""Fields that a run saved by an earlier version does not have."""


def config_from_dict(document: Mapping[str, Any]) -> TrainConfig:
    """The configuration that `to_dict` described; fields that came later have their defaults in older ones.

    Raises ConfigError for unknown or missing fields.
    """
    names = {f.name for f in fields(TrainConfig)}
    difference = sorted((set(document) ^ names) - (ADDED_LATER - set(document)))
    if difference:
        raise ConfigError(
            "config", "the fields of this version", f"others: {difference}", "Was it saved by another version?"
        )
    return TrainConfig(**document)


PRESETS: dict[str, dict[str, Any]] = {
    # one to three minutes on two cores, on the corpus that this project generates
    "tales": {"block_size": 128, "steps": 1500, "lr": 4e-3, "eval_every": 200, "checkpoint_every": 400},
    # nanoGPT's settings for a laptop (https://github.com/karpathy/nanoGPT, "I only have a macbook"), but twice its
    # learning
    # rate: with 1e-3 four seeds ended at 1.890 to 1.904 nats, with 2e-3 two seeds at 1.811 and 1.814
    "shakespeare-cpu": {"lr": 2e-3},
    # nanoGPT's config/train_shakespeare_char.py
    "shakespeare-gpu": {
        "n_layer": 6, "n_head": 6, "n_embd": 384, "block_size": 256, "batch_size": 64, "dropout": 0.2, "steps": 5000,
        "device": "auto",
    },
    # nanoGPT's config/train_gpt2.py
    "gpt2-124m": {
        "tokenizer": "gpt2", "n_layer": 12, "n_head": 12, "n_embd": 768, "block_size": 1024, "batch_size": 12,
        "accumulate": 40, "steps": 600_000, "lr": 6e-4, "final_lr": 6e-5, "warmup": 2000, "beta2": 0.95,
        "eval_every": 1000, "eval_batches": 200, "checkpoint_every": 1000, "device": "auto",
    },
}  # fmt: skip
