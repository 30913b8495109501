"""ViT: a transformer that reads a picture as a sequence of patches.

Dosovitskiy et al., "An Image is Worth 16x16 Words", 2021. The encoder is GPT's without the mask: norms inside the
branches (pre-norm), learned positions. One more vector, the class token, stands before the patches; what it has become
after the last block speaks for the whole picture, as BERT's first token does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.errors import ConfigError, ShapeError
from tinygrad_llm.models.base import Batch
from tinygrad_llm.models.sizes import check_activation, check_labels, check_sizes, check_transformer
from tinygrad_llm.nn import (
    MLP,
    Attention,
    Dropout,
    Embedding,
    LayerNorm,
    Linear,
    Module,
    PatchEmbedding,
    Rng,
    TransformerBlock,
    init,
)  # fmt: skip


@dataclass(frozen=True)
class ViTConfig:
    """image_size the side of the square pictures, patch_size that of a patch, n_channel C, n_layer, n_head H, n_embd D,
    n_hidden F.

    dropout     of the embeddings, of attention weights, and of what each part adds.
    activation  between D -> F and F -> D, a name in nn.ACTIVATIONS.
    norm_eps    epsilon of the layer norms.
    qkv_bias    whether queries, keys and values have biases.
    init_std    standard deviation of the first weights.
    labels      the names of the classes of a classifier.
    """

    image_size: int
    patch_size: int
    n_channel: int
    n_layer: int
    n_head: int
    n_embd: int
    n_hidden: int
    dropout: float = 0.0
    activation: str = "gelu"
    norm_eps: float = 1e-12
    qkv_bias: bool = True
    init_std: float = 0.02
    labels: tuple[str, ...] = ("LABEL_0", "LABEL_1")

    def __post_init__(self) -> None:
        check_sizes(self, 7)
        check_transformer(self)
        check_pictures(self)
        check_labels(self)


def check_pictures(config: Any) -> None:
    """Raises ConfigError for patches that do not fill the picture, or an activation that is not known."""
    if config.image_size % config.patch_size:
        raise ConfigError("patch_size", f"a divisor of image_size = {config.image_size}", config.patch_size)
    check_activation(config)


def positions_of(config: Any) -> int:
    """1 + N: the class token and the patches of a picture."""
    return 1 + (config.image_size // config.patch_size) ** 2


class PictureEmbedding(Module):
    """The class token, then the patches from left to right and top to bottom; each with its position.

    (B, C, S, S) -> (B, 1 + N, D), N = (S / P)^2
    """

    def __init__(self, config: Any, bias: bool, std: float, patch_std: float | None, make: dict[str, Any]) -> None:
        c = config
        self.image_size = c.image_size
        self.patches = PatchEmbedding(c.n_channel, c.patch_size, c.n_embd, bias, std=patch_std, **make)
        self.class_token = init.normal(make["rng"], (c.n_embd,), std, make["dtype"])
        self.positions = Embedding(positions_of(c), c.n_embd, std=std, **make)

    def __call__(self, pictures: Any, dtype: Any = None) -> Tensor:
        """Raises ShapeError for pictures of another size."""
        side = self.image_size
        shape = tuple(pictures.shape if hasattr(pictures, "shape") else np.shape(pictures))
        if shape[2:] != (side, side):
            wanted = f"(B, {self.patches.channels}, {side}, {side})"
            raise ShapeError("pictures", wanted, shape, "Scale them first.")
        x = self.patches(pictures)
        first = ops.broadcast_to(self.class_token, (x.shape[0], 1, x.shape[2]))
        x = ops.concat([first, x], axis=1) + self.positions.weight
        return x if dtype is None else x.astype(dtype)


class ViT(Module):
    """The encoder.  (B, C, S, S) -> (B, 1 + N, D), a state for the class token and one for each patch.

    `pooled` says whether it has a pooler: tanh(W x) of the class token's state.
    """

    def __init__(
        self, config: ViTConfig, *, rng: np.random.Generator, dtype: Any = np.float32, pooled: bool = True
    ) -> None:
        c = self.config = config
        make: dict[str, Any] = {"rng": rng, "dtype": dtype}
        self.embedding = PictureEmbedding(c, True, c.init_std, c.init_std, make)
        self.dropout = Dropout(c.dropout)
        self.blocks = [_block(c, make) for _ in range(c.n_layer)]
        self.norm = LayerNorm(c.n_embd, eps=c.norm_eps, dtype=dtype)
        if pooled:
            self.pooler = Linear(c.n_embd, c.n_embd, std=c.init_std, **make)

    def __call__(self, pictures: Any, *, rng: Rng | None = None, dtype: Any = None) -> Tensor:
        """The states after the last norm.  (B, C, S, S) floats -> (B, 1 + N, D)

        rng    makes dropout active.
        dtype  of the activations; that of the weights where None.
        """
        x = self.dropout(self.embedding(pictures, dtype), rng)
        for block in self.blocks:
            x = block(x, rng)
        return self.norm(x)

    def pool(self, states: Tensor) -> Tensor:
        """One state for the whole picture, made of the class token's.  (B, 1 + N, D) -> (B, D)"""
        return ops.tanh(self.pooler(states[:, 0]))


def _block(c: ViTConfig, make: dict[str, Any]) -> TransformerBlock:
    norms = [LayerNorm(c.n_embd, eps=c.norm_eps, dtype=make["dtype"]) for _ in range(2)]
    make = make | {"std": c.init_std, "out_std": c.init_std, "dropout": c.dropout}
    attention = Attention(c.n_embd, c.n_head, bias=c.qkv_bias, out_bias=True, **make)
    return TransformerBlock(norms[0], attention, norms[1], MLP(c.n_embd, c.n_hidden, activation=c.activation, **make))


class ViTForImageClassification(Module):
    """Which class has the picture?  (B, C, S, S) -> logits (B, C), as many as there are labels."""

    def __init__(self, config: ViTConfig, *, rng: np.random.Generator, dtype: Any = np.float32) -> None:
        self.config = config
        self.vit = ViT(config, rng=rng, dtype=dtype, pooled=False)
        self.classifier = Linear(config.n_embd, len(config.labels), rng=rng, std=config.init_std, dtype=dtype)

    def __call__(self, pictures: Any, **options: Any) -> Tensor:
        """Logits of the classes, from the class token's state; options as ViT has them."""
        return self.classifier(self.vit(pictures, **options)[:, 0])

    def loss(self, batch: Batch, *, rng: Rng | None = None, divisor: float | None = None, dtype: Any = None) -> Tensor:
        """The mean of -ln p(target) over the targets that are not ops.IGNORE, in nats a picture.  -> ()

        batch    "pictures" (B, C, S, S) and "targets" (B,).
        divisor  divides the sum instead of the count, for parts of a batch.
        """
        logits = self(batch["pictures"], rng=rng, dtype=dtype)
        return ops.cross_entropy(logits, batch["targets"], divisor=divisor)
