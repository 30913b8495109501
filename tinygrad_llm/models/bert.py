"""BERT: an encoder that reads a text in both directions at once, and the heads that are put on it.

Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding", 2019. The blocks are
those of the original transformer's encoder (post-norm); what is new is the third embedding, which says to which of two
texts a token belongs, and the two things it is trained on: words that were hidden, and whether the second text follows
the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import Array, as_array
from tinygrad_llm.models.base import Batch, context, last_of, position_rows, token_ids
from tinygrad_llm.models.sizes import (
    check_activation,
    check_labels,
    check_sizes,
    check_token_ids,
    check_transformer,
)  # fmt: skip
from tinygrad_llm.nn import (
    ACTIVATIONS,
    MLP,
    Attention,
    Dropout,
    Embedding,
    LayerNorm,
    Linear,
    Module,
    PostNormBlock,
    Rng,
    init,
)  # fmt: skip

CONTEXT = ("types", "lengths", "mask")


@dataclass(frozen=True)
class BERTConfig:
    """vocab_size V, block_size the longest T, n_layer, n_head H, n_embd D, n_hidden F, n_type how many kinds of text.

    dropout     of the embeddings, of attention weights, and of what each part adds.
    activation  between D -> F and F -> D, and in the head of hidden words: "gelu", "gelu_new", "relu" or "silu".
    norm_eps    epsilon of the layer norms.
    init_std    standard deviation of the first weights.
    pad_id      the token that pads a text at its right.
    labels      the names of the classes of a classifier.
    """

    vocab_size: int
    block_size: int
    n_layer: int
    n_head: int
    n_embd: int
    n_hidden: int
    n_type: int = 2
    dropout: float = 0.0
    activation: str = "gelu"
    norm_eps: float = 1e-12
    init_std: float = 0.02
    pad_id: int = 0
    labels: tuple[str, ...] = ("LABEL_0", "LABEL_1")

    def __post_init__(self) -> None:
        check_sizes(self, 7)
        check_transformer(self)
        check_activation(self)
        check_token_ids(self, "pad_id")
        check_labels(self)


class BERT(Module):
    """The encoder.  (B, T) integers -> (B, T, D), a state for each token that has seen all of its text.

    `pooled` says whether it has a pooler: tanh(W x) of the first token's state, which the head of the next sentence and
    classifiers of whole texts read.
    """

    def __init__(
        self, config: BERTConfig, *, rng: np.random.Generator, dtype: Any = np.float32, pooled: bool = True
    ) -> None:
        c, make = config, _make(config, rng, dtype)
        self.config = config
        self.token_embedding = Embedding(c.vocab_size, c.n_embd, **make)
        self.position_embedding = Embedding(c.block_size, c.n_embd, **make)
        self.type_embedding = Embedding(c.n_type, c.n_embd, **make)
        self.embedding_norm = LayerNorm(c.n_embd, eps=c.norm_eps, dtype=dtype)
        self.dropout = Dropout(c.dropout)
        self.blocks = [_block(c, make) for _ in range(c.n_layer)]
        if pooled:
            self.pooler = Linear(c.n_embd, c.n_embd, **make)

    def __call__(
        self,
        tokens: Any,
        *,
        types: Any = None,
        lengths: Any = None,
        mask: Any = None,
        rng: Rng | None = None,
        dtype: Any = None,
    ) -> Tensor:
        """The states after the last block.  (B, T) -> (B, T, D)

        types    (B, T), to which text a token belongs: 0 or 1, all 0 where None.
        lengths  (B,) how many tokens count, the rest being padding at the right; up to the last that is no pad_id where
                 neither it nor a mask is given.
        mask     (B, T) booleans instead, where padding stands elsewhere; or as nn.Attention takes it.
        rng      makes dropout active.
        dtype    of the activations; that of the weights where None.
        """
        tokens = token_ids(tokens, self.config.block_size)
        if lengths is None and mask is None:
            lengths = last_of(tokens, self.config.pad_id)
        x = self.dropout(self._embedded(tokens, types, dtype), rng)
        for block in self.blocks:
            x = block(x, rng, lengths=lengths, mask=mask)
        return x

    def pool(self, states: Tensor) -> Tensor:
        """One state for the whole text, made of the first token's.  (B, T, D) -> (B, D)"""
        return ops.tanh(self.pooler(states[:, 0]))

    def _embedded(self, tokens: Array, types: Any, dtype: Any) -> Tensor:
        x = self.token_embedding(tokens) + position_rows(self.position_embedding.weight, None, tokens.shape[1], None)
        x = x + (self.type_embedding.weight[0] if types is None else self.type_embedding(types))
        return self.embedding_norm(x if dtype is None else x.astype(dtype))


def _block(c: BERTConfig, make: dict[str, Any]) -> PostNormBlock:
    norms = [LayerNorm(c.n_embd, eps=c.norm_eps, dtype=make["dtype"]) for _ in range(2)]
    make = make | {"out_std": c.init_std, "dropout": c.dropout}
    attention = Attention(c.n_embd, c.n_head, **make)
    return PostNormBlock(attention, norms[0], MLP(c.n_embd, c.n_hidden, activation=c.activation, **make), norms[1])


class HiddenWords(Module):
    """The head that names hidden words: norm(activation(W x)) times the token embeddings, plus a bias.

    (..., D) -> (..., V).  Source: Devlin et al., 2019, section 3.1 and its code.
    """

    def __init__(self, config: BERTConfig, make: dict[str, Any]) -> None:
        self.dense = Linear(config.n_embd, config.n_embd, **make)
        self.norm = LayerNorm(config.n_embd, eps=config.norm_eps, dtype=make["dtype"])
        self.bias = init.zeros((config.vocab_size,), make["dtype"])
        self.activation = config.activation

    def __call__(self, states: Tensor, table: Tensor) -> Tensor:
        """Logits of the token at each position; `table` (V, D) are the token embeddings."""
        return ops.linear(self.norm(ACTIVATIONS[self.activation](self.dense(states))), table, self.bias)


class BERTForMaskedLM(Module):
    """Which token was hidden?  (B, T) -> logits (B, T, V)."""

    def __init__(self, config: BERTConfig, *, rng: np.random.Generator, dtype: Any = np.float32) -> None:
        self.config = config
        self.bert = BERT(config, rng=rng, dtype=dtype, pooled=False)
        self.head = HiddenWords(config, _make(config, rng, dtype))

    def __call__(self, tokens: Any, **options: Any) -> Tensor:
        """Logits at every position; options as BERT has them."""
        return self.head(self.bert(tokens, **options), self.bert.token_embedding.weight)

    def loss(self, batch: Batch, *, rng: Rng | None = None, divisor: float | None = None, dtype: Any = None) -> Tensor:
        """The mean of -ln p(target) over the targets that are not ops.IGNORE, in nats a hidden token.  -> ()

        batch    "tokens" and "targets" (B, T); "types" (B, T), "lengths" (B,), "mask" (B, T) where it has them.
        divisor  divides the sum instead of the count, for parts of a batch.
        """
        states = self.bert(batch["tokens"], rng=rng, dtype=dtype, **context(batch, CONTEXT))
        return hidden_loss(self.head, states, self.bert.token_embedding.weight, batch["targets"], divisor)


class BERTForPreTraining(Module):
    """Which tokens were hidden, and does the second text follow the first?  (B, T) -> (B, T, V) and (B, 2).

    Of the two logits of the second answer, number 0 says that it follows and 1 that it does not, as in Devlin's files.
    """

    def __init__(self, config: BERTConfig, *, rng: np.random.Generator, dtype: Any = np.float32) -> None:
        self.config, make = config, _make(config, rng, dtype)
        self.bert = BERT(config, rng=rng, dtype=dtype)
        self.head = HiddenWords(config, make)
        self.next_head = Linear(config.n_embd, 2, **make)

    def __call__(self, tokens: Any, **options: Any) -> tuple[Tensor, Tensor]:
        """Both logits; options as BERT has them."""
        states = self.bert(tokens, **options)
        return self.head(states, self.bert.token_embedding.weight), self.next_head(self.bert.pool(states))

    def loss(self, batch: Batch, *, rng: Rng | None = None, divisor: float | None = None, dtype: Any = None) -> Tensor:
        """The sum of two means: -ln p(target) over the hidden tokens, and -ln p(is_next) over the texts.  -> ()

        batch    as BERTForMaskedLM has it, and "not_next" (B,): 0 where the second text follows the first, 1 where not.
        divisor  divides the sum over tokens instead of their count, for parts of a batch; then "next_share" (B,) says
                 what each text's own part is multiplied by, 1 / B for a mean.
        """
        states = self.bert(batch["tokens"], rng=rng, dtype=dtype, **context(batch, CONTEXT))
        hidden = hidden_loss(self.head, states, self.bert.token_embedding.weight, batch["targets"], divisor)
        each = ops.cross_entropy(self.next_head(self.bert.pool(states)), batch["not_next"], reduction="none")
        if divisor is None:
            return hidden + each.mean()
        return hidden + (each * as_array(batch["next_share"]).astype(each.dtype)).sum()


class BERTForSequenceClassification(Module):
    """Which class has the text?  (B, T) -> logits (B, C), C the number of labels."""

    def __init__(self, config: BERTConfig, *, rng: np.random.Generator, dtype: Any = np.float32) -> None:
        self.config = config
        self.bert = BERT(config, rng=rng, dtype=dtype)
        self.dropout = Dropout(config.dropout)
        self.classifier = Linear(config.n_embd, len(config.labels), **_make(config, rng, dtype))

    def __call__(self, tokens: Any, *, rng: Rng | None = None, **options: Any) -> Tensor:
        """Logits of the classes; options as BERT has them."""
        return self.classifier(self.dropout(self.bert.pool(self.bert(tokens, rng=rng, **options)), rng))

    def loss(self, batch: Batch, *, rng: Rng | None = None, divisor: float | None = None, dtype: Any = None) -> Tensor:
        """The mean of -ln p(target), in nats a text; "targets" (B,).  See BERTForMaskedLM.  -> ()"""
        logits = self(batch["tokens"], rng=rng, dtype=dtype, **context(batch, CONTEXT))
        return ops.cross_entropy(logits, batch["targets"], divisor=divisor)


class BERTForTokenClassification(Module):
    """Which class has each token?  (B, T) -> logits (B, T, C), C the number of labels."""

    def __init__(self, config: BERTConfig, *, rng: np.random.Generator, dtype: Any = np.float32) -> None:
        self.config = config
        self.bert = BERT(config, rng=rng, dtype=dtype, pooled=False)
        self.dropout = Dropout(config.dropout)
        self.classifier = Linear(config.n_embd, len(config.labels), **_make(config, rng, dtype))

    def __call__(self, tokens: Any, *, rng: Rng | None = None, **options: Any) -> Tensor:
        """Logits of the classes at every position; options as BERT has them."""
        return self.classifier(self.dropout(self.bert(tokens, rng=rng, **options), rng))

    def loss(self, batch: Batch, *, rng: Rng | None = None, divisor: float | None = None, dtype: Any = None) -> Tensor:
        """The mean of -ln p(target), in nats a token; "targets" (B, T).  See BERTForMaskedLM.  -> ()"""
        logits = self(batch["tokens"], rng=rng, dtype=dtype, **context(batch, CONTEXT))
        return ops.cross_entropy(logits, batch["targets"], divisor=divisor)


def hidden_loss(head: HiddenWords, states: Tensor, table: Tensor, targets: Any, divisor: float | None) -> Tensor:
    """Cross-entropy of the targets that count, from the states at their positions alone: one in seven, as a rule."""
    targets = as_array(targets)
    if not isinstance(targets, np.ndarray):  # a GPU's own numbers are not looked at: nobody waits for them here
        return ops.cross_entropy(head(states, table), targets, divisor=divisor)
    rows, columns = np.nonzero(targets != ops.IGNORE)
    if not len(rows):  # a part of a batch may have none, and no batch may be without any
        return ops.cross_entropy(head(states[:, :1], table), targets[:, :1], divisor=divisor)
    return ops.cross_entropy(head(states[rows, columns], table), targets[rows, columns], divisor=divisor)


def _make(c: BERTConfig, rng: np.random.Generator, dtype: Any) -> dict[str, Any]:
    return {"rng": rng, "std": c.init_std, "dtype": dtype}
