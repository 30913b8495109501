"""CLIP: a picture and its caption become near vectors, all others in the batch far ones.

Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", 2021. Two encoders of the same
blocks (pre-norm, quick_gelu): one reads patches, behind a class token, the other words, from left to right; what stands
at the class token and at the end of the text is projected into one space. Nothing is dropped, as there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import Array, namespace, to_device_of
from tinygrad_llm.errors import ArgumentError, ConfigError
from tinygrad_llm.models.base import Batch, position_rows, token_ids
from tinygrad_llm.models.sizes import check_activation, check_heads, check_sizes, check_token_ids
from tinygrad_llm.models.vit import PictureEmbedding, check_pictures
from tinygrad_llm.nn import MLP, Attention, Embedding, LayerNorm, Linear, Module, Parameter, Rng, TransformerBlock

HIGHEST = 2
"""An end_id that says: a text ends with its highest token, whichever that is. All files of before July 2023 have it."""


@dataclass(frozen=True)
class CLIPVisionConfig:
    """image_size the side of the square pictures, patch_size that of a patch, n_channel C, n_layer, n_head H, n_embd D,
    n_hidden F.

    activation  between D -> F and F -> D, a name in nn.ACTIVATIONS.
    norm_eps    epsilon of the layer norms.
    """

    image_size: int
    patch_size: int
    n_channel: int
    n_layer: int
    n_head: int
    n_embd: int
    n_hidden: int
    activation: str = "quick_gelu"
    norm_eps: float = 1e-5

    def __post_init__(self) -> None:
        check_sizes(self, 7)
        check_heads(self)
        check_pictures(self)


@dataclass(frozen=True)
class CLIPTextConfig:
    """vocab_size V, block_size the longest T, n_layer, n_head H, n_embd D, n_hidden F.

    activation, norm_eps  as the pictures' encoder has them.
    end_id                the token that ends a text: its first one is read, what stands behind it is padding. 2 means
                          the highest token of each text instead (see HIGHEST).
    """

    vocab_size: int
    block_size: int
    n_layer: int
    n_head: int
    n_embd: int
    n_hidden: int
    activation: str = "quick_gelu"
    norm_eps: float = 1e-5
    end_id: int = 49407

    def __post_init__(self) -> None:
        check_sizes(self, 6)
        check_heads(self)
        check_activation(self)
        check_token_ids(self, "end_id")


@dataclass(frozen=True)
class CLIPConfig:
    """The two encoders' configurations, and n_joint E, the size of the space that they share.

    logit_scale  ln of the first scale of the logits: ln(1 / 0.07) in the paper.
    """

    vision: CLIPVisionConfig
    text: CLIPTextConfig
    n_joint: int
    logit_scale: float = 2.6592

    def __post_init__(self) -> None:
        if not isinstance(self.n_joint, int) or isinstance(self.n_joint, bool) or self.n_joint < 1:
            raise ConfigError("n_joint", "a whole number of at least 1", repr(self.n_joint))


def _blocks(c: CLIPVisionConfig | CLIPTextConfig, causal: bool, make: dict[str, Any]) -> list[TransformerBlock]:
    """First weights as in OpenAI's code: what adds to the residual stream begins smaller, by the number of layers."""
    std, out_std = c.n_embd**-0.5, (2 * c.n_layer * c.n_embd) ** -0.5

    def norm() -> LayerNorm:
        return LayerNorm(c.n_embd, eps=c.norm_eps, dtype=make["dtype"])

    def mlp() -> MLP:
        return MLP(c.n_embd, c.n_hidden, activation=c.activation, std=std / 2**0.5, out_std=out_std, **make)

    def attention() -> Attention:
        return Attention(c.n_embd, c.n_head, causal=causal, std=std, out_std=out_std, **make)

    return [TransformerBlock(norm(), attention(), norm(), mlp()) for _ in range(c.n_layer)]


class CLIPVision(Module):
    """The pictures' encoder.  (B, C, S, S) -> (B, 1 + N, D), a state for the class token and one for each patch."""

    def __init__(self, config: CLIPVisionConfig, *, rng: np.random.Generator, dtype: Any = np.float32) -> None:
        c = self.config = config
        make: dict[str, Any] = {"rng": rng, "dtype": dtype}
        self.embedding = PictureEmbedding(c, False, c.n_embd**-0.5, None, make)
        self.norm_before = LayerNorm(c.n_embd, eps=c.norm_eps, dtype=dtype)
        self.blocks = _blocks(c, False, make)
        self.norm_of_pooled = LayerNorm(c.n_embd, eps=c.norm_eps, dtype=dtype)

    def __call__(
        self, pictures: Any, *, rng: Rng | None = None, dtype: Any = None, layers: int | None = None
    ) -> Tensor:
        """The states after the last block, which no norm follows.  (B, C, S, S) floats -> (B, 1 + N, D)

        rng     is taken, as by all models; nothing is dropped.
        dtype   of the activations; that of the weights where None.
        layers  how many of the blocks are run; all where None.
        """
        x = self.norm_before(self.embedding(pictures, dtype))
        for block in self.blocks[:layers]:
            x = block(x, rng)
        return x

    def pool(self, states: Tensor) -> Tensor:
        """One state for the whole picture: the class token's, normalized.  (B, 1 + N, D) -> (B, D)"""
        return self.norm_of_pooled(states[:, 0])


class CLIPText(Module):
    """The texts' encoder.  (B, T) integers -> (B, T, D); no state has seen what stands behind it."""

    def __init__(self, config: CLIPTextConfig, *, rng: np.random.Generator, dtype: Any = np.float32) -> None:
        c = self.config = config
        make: dict[str, Any] = {"rng": rng, "dtype": dtype}
        self.token_embedding = Embedding(c.vocab_size, c.n_embd, std=0.02, **make)
        self.position_embedding = Embedding(c.block_size, c.n_embd, std=0.01, **make)
        self.blocks = _blocks(c, True, make)
        self.norm = LayerNorm(c.n_embd, eps=c.norm_eps, dtype=dtype)

    def __call__(self, tokens: Any, *, rng: Rng | None = None, dtype: Any = None) -> Tensor:
        """The states after the last norm.  (B, T) -> (B, T, D); options as CLIPVision has them."""
        tokens = token_ids(tokens, self.config.block_size)
        x = self.token_embedding(tokens) + position_rows(self.position_embedding.weight, None, tokens.shape[1], None)
        x = x if dtype is None else x.astype(dtype)
        for block in self.blocks:
            x = block(x, rng)
        return self.norm(x)

    def pool(self, states: Tensor, tokens: Any) -> Tensor:
        """The state at the end of each text.  (B, T, D), (B, T) -> (B, D).  Raises ArgumentError for one without."""
        tokens = token_ids(tokens, self.config.block_size)
        return states[np.arange(tokens.shape[0]), self._ends(tokens)]

    def _ends(self, tokens: Array) -> Array:
        """Where each text ends.  (B, T) -> (B,)"""
        end = self.config.end_id
        if end == HIGHEST:
            return namespace(tokens).argmax(tokens, 1)
        found = tokens == end
        if isinstance(tokens, np.ndarray) and not found.any(1).all():  # a GPU's own numbers are not looked at
            raise ArgumentError("tokens", f"end_id = {end} in every text", "a text without")
        return namespace(tokens).argmax(found.astype(np.int32), 1)


class CLIP(Module):
    """logits = e^s * pictures @ texts^T, both of length one.  (A, C, S, S), (B, T) -> (A, B)

    s is learned, as all else.
    """

    couples_examples = True
    """Each picture is held against all texts of its batch: the parts of a batch are another task. So ThreadedStep
    refuses the loss, and what is accumulated from several batches is the sum of their own contests."""

    def __init__(self, config: CLIPConfig, *, rng: np.random.Generator, dtype: Any = np.float32) -> None:
        c, make = config, {"rng": rng, "dtype": dtype}
        self.config = config
        self.text_model = CLIPText(c.text, **make)
        self.vision_model = CLIPVision(c.vision, **make)
        self.visual_projection = Linear(c.vision.n_embd, c.n_joint, bias=False, **make)
        self.text_projection = Linear(c.text.n_embd, c.n_joint, bias=False, **make)
        self.logit_scale = Parameter(np.full(1, c.logit_scale, dtype))

    def encode_pictures(self, pictures: Any, **options: Any) -> Tensor:
        """Vectors of length one.  (B, C, S, S) -> (B, E)"""
        vision = self.vision_model
        return _unit(self.visual_projection(vision.pool(vision(pictures, **options))))

    def encode_texts(self, tokens: Any, **options: Any) -> Tensor:
        """Vectors of length one.  (B, T) -> (B, E)"""
        text = self.text_model
        return _unit(self.text_projection(text.pool(text(tokens, **options), tokens)))

    def __call__(self, pictures: Any, tokens: Any, **options: Any) -> Tensor:
        """How well each picture fits each text: scaled cosines.  (A, C, S, S), (B, T) -> (A, B)"""
        cosines = self.encode_pictures(pictures, **options) @ self.encode_texts(tokens, **options).T
        return cosines * ops.exp(self.logit_scale).astype(cosines.dtype)

    def loss(self, batch: Batch, *, rng: Rng | None = None, divisor: float | None = None, dtype: Any = None) -> Tensor:
        """(mean of -ln p(own text | picture) + mean of -ln p(own picture | text)) / 2, p by softmax over the batch.
        In nats a pair.  -> ()

        batch    "pictures" (B, C, S, S) and "tokens" (B, T); picture i belongs to text i and to no other.
        divisor  divides the sum instead of B: of several batches, each a contest of its own. Parts of one are another
                 task, so threads refuse to divide it: see `couples_examples`.
        """
        logits = self(batch["pictures"], batch["tokens"], rng=rng, dtype=dtype)
        own = to_device_of(np.arange(logits.shape[0]), logits.data)
        texts, pictures = (ops.cross_entropy(x, own, divisor=divisor) for x in (logits, logits.T))
        return (texts + pictures) / 2


def _unit(x: Tensor) -> Tensor:
    return x * ops.rsqrt((x * x).sum(-1, keepdims=True))
