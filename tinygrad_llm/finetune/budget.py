"""What tuning a Llama takes in memory, counted: how large a model fits a card.

    footprint(LlamaConfig(32_000, 2048, 32, 32, 4096, 11_008), "qlora", rank=16).total / 1e9

Counted is what every library must keep. What a driver, a library or a fragmented heap takes besides is not:
`python -m tinygrad_llm.finetune.memory` measures what a process really holds.

Sources: Dettmers et al., "QLoRA: Efficient Finetuning of Quantized LLMs", 2023, sections 2 and 3; Chen et al.,
"Training Deep Nets with Sublinear Memory Cost", 2016 (checkpointing).
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.models import LlamaConfig
from tinygrad_llm.quantize.blocks import SCALES_A_BLOCK
from tinygrad_llm.ranges import check_whole

METHODS = ("full", "lora", "qlora")
MOMENT_BYTES = 4
"""AdamW's two moments are kept in float32, whatever the weights are kept in."""


@dataclass(frozen=True)
class Footprint:
    """Bytes, by what they are for.

    weights      of the model; with "qlora" the codes of its blocks' matrices, and all else as it was.
    scales       of the codes.
    adapters     the numbers of LoRA.
    gradients    of what is trained.
    moments      two of everything that is trained.
    activations  what the forward pass keeps for the backward pass.
    """

    weights: float
    scales: float
    adapters: float
    gradients: float
    moments: float
    activations: float

    @property
    def total(self) -> float:
        """All together."""
        return sum(astuple(self))


def footprint(
    config: LlamaConfig,
    method: str = "qlora",
    *,
    rank: int = 8,
    tokens: int = 512,
    number_bytes: int = 2,
    block_size: int = 64,
    double: bool = True,
    checkpointing: bool = True,
) -> Footprint:
    """Bytes of one step of AdamW.

    method         "full": everything is trained; "lora": adapters beside every matrix of the blocks; "qlora": the same
                   beside matrices of four bits.
    tokens         of the batch, all examples together.
    number_bytes   of weights, gradients, adapters and activations: 2 for bfloat16, 4 for float32.
    double         whether the scales are quantized, too.
    checkpointing  whether each block keeps its input alone and computes the rest again, one block at a time.

    Raises ArgumentError for another method, for experts, and for sizes that are no whole numbers of at least 1.
    """
    if method not in METHODS:
        raise ArgumentError("method", " or ".join(METHODS), repr(method))
    if config.n_experts:
        raise ArgumentError("config", "one without experts", f"{config.n_experts} experts")
    check_whole(rank=rank, tokens=tokens, number_bytes=number_bytes, block_size=block_size)
    matrices, rest = matrix_sizes(config), rest_size(config)
    in_blocks = config.n_layer * sum(outputs * inputs for outputs, inputs in matrices)
    added = 0 if method == "full" else config.n_layer * sum(rank * (o + i) for o, i in matrices)
    trained = in_blocks + rest if method == "full" else added
    packed = method == "qlora"
    weights = in_blocks / 2 + rest * number_bytes if packed else (in_blocks + rest) * number_bytes
    return Footprint(
        weights,
        in_blocks * scale_bits(block_size, double) / 8 if packed else 0,
        added * number_bytes,
        trained * number_bytes,
        trained * 2 * MOMENT_BYTES,
        activation_bytes(config, tokens, number_bytes, checkpointing),
    )


def scale_bits(block_size: int = 64, double: bool = True) -> float:
    """Bits a weight that the scales take: 32 a block; or 8 a block and 32 for each 256 blocks."""
    return 8 / block_size + 32 / (block_size * SCALES_A_BLOCK) if double else 32 / block_size


def matrix_sizes(config: LlamaConfig) -> list[tuple[int, int]]:
    """Outputs and inputs of the seven matrices of a block: q, k, v, o, gate, up, down."""
    c = config
    queries, keys = c.n_head * c.key_size, c.groups * c.key_size
    attention = [(queries, c.n_embd), (keys, c.n_embd), (keys, c.n_embd), (c.n_embd, queries)]
    return [*attention, (c.n_hidden, c.n_embd), (c.n_hidden, c.n_embd), (c.n_embd, c.n_hidden)]


def rest_size(config: LlamaConfig) -> int:
    """How many numbers lie outside these matrices: embedding, head, norms."""
    tables = 1 if config.tied else 2
    return tables * config.vocab_size * config.n_embd + (2 * config.n_layer + 1) * config.n_embd


def activation_bytes(config: LlamaConfig, tokens: int, number_bytes: int, checkpointing: bool) -> float:
    """What is kept of each token for the backward pass, where attention keeps no scores (FlashAttention).

    Of a block: what goes into the two norms, into q, k, v, into attention (q, k, v), into o, into gate and up, into
    their product (twice) and into down. And two rows of the vocabulary, in float32: the logits and their gradient.
    """
    c = config
    queries, keys = c.n_head * c.key_size, c.groups * c.key_size
    block = 4 * c.n_embd + 2 * queries + 2 * keys + 3 * c.n_hidden
    kept = c.n_layer * c.n_embd + block if checkpointing else c.n_layer * block
    return tokens * (kept * number_bytes + 2 * c.vocab_size * 4)
