"""BERT, the encoder and the heads on it.  Source: Devlin et al., 2019; transformers' modeling_bert."""

from __future__ import annotations

from typing import Any

from tinygrad_llm.models.bert import (
    BERT,
    BERTConfig,
    BERTForMaskedLM,
    BERTForPreTraining,
    BERTForSequenceClassification,
    BERTForTokenClassification,
)  # fmt: skip
from tinygrad_llm.models.layout import Layout, Option, Size
from tinygrad_llm.models.layouts.common import HARMLESS, LABELS, NEVER, numbers_of_labels
from tinygrad_llm.models.layouts.parts import under

ENCODER = {
    "token_embedding": "embeddings.word_embeddings",
    "position_embedding": "embeddings.position_embeddings",
    "type_embedding": "embeddings.token_type_embeddings",
    "embedding_norm": "embeddings.LayerNorm",
    "blocks.*.self_attention.q_proj": "encoder.layer.*.attention.self.query",
    "blocks.*.self_attention.k_proj": "encoder.layer.*.attention.self.key",
    "blocks.*.self_attention.v_proj": "encoder.layer.*.attention.self.value",
    "blocks.*.self_attention.o_proj": "encoder.layer.*.attention.output.dense",
    "blocks.*.self_attention_norm": "encoder.layer.*.attention.output.LayerNorm",
    "blocks.*.mlp.up_proj": "encoder.layer.*.intermediate.dense",
    "blocks.*.mlp.down_proj": "encoder.layer.*.output.dense",
    "blocks.*.mlp_norm": "encoder.layer.*.output.LayerNorm",
    "pooler": "pooler.dense",
}
HIDDEN_WORDS = {
    "head.dense": "cls.predictions.transform.dense",
    "head.norm": "cls.predictions.transform.LayerNorm",
    "head.bias": "cls.predictions.bias",
}
CLASSIFIER = {"classifier": "classifier"}


def _layout(architecture: str, model: type, tensors: dict[str, Any], prefix: str = "bert.") -> Layout:
    """The table of a model with this head: its own tensors, and those of the encoder behind a prefix."""
    words = f"{prefix}embeddings.word_embeddings.weight"
    layers = f"{prefix}encoder.layer.*.intermediate.dense.weight"
    return Layout(
        "bert", architecture, model, BERTConfig,
        sizes={
            "vocab_size": Size("vocab_size", words),
            "block_size": Size("max_position_embeddings", f"{prefix}embeddings.position_embeddings.weight"),
            "n_layer": Size("num_hidden_layers", layers, stack=f"{prefix}blocks"),
            "n_head": Size("num_attention_heads"),
            "n_embd": Size("hidden_size", words, axis=1),
            "n_hidden": Size("intermediate_size", layers.replace("*", "0")),
            "n_type": Size("type_vocab_size", f"{prefix}embeddings.token_type_embeddings.weight"),
        },
        tensors=under(prefix, prefix, ENCODER) | tensors,
        options={
            "dropout": Option("hidden_dropout_prob", 0.1), "activation": Option("hidden_act", "gelu"),
            "norm_eps": Option("layer_norm_eps", 1e-12), "init_std": Option("initializer_range", 0.02),
            "pad_id": Option("pad_token_id", 0),
            "labels": LABELS,
        },
        fixed={"tie_word_embeddings": (True,)},
        assumed=NEVER | {
            "is_encoder_decoder": (False,), "position_embedding_type": ("absolute",),
            "problem_type": (None, "single_label_classification"),
        },
        harmless=HARMLESS | {
            # of the first files, what nobody reads: the pooler is as it is
            "directionality", "pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers",
            "pooler_size_per_head", "pooler_type",
        },
        written={
            "attention_probs_dropout_prob": lambda c: c.dropout,
            "label2id": numbers_of_labels,
        },
        prefix=prefix,
        copies={
            "cls.predictions.decoder.weight": words, "cls.predictions.decoder.bias": "cls.predictions.bias",
        } if "head.bias" in tensors else {},
        ignored=(f"{prefix}embeddings.position_ids",),  # old files hold 0, 1, 2, ...
    )  # fmt: skip


BERTS = (
    _layout("BertModel", BERT, {}, prefix=""),
    _layout("BertForPreTraining", BERTForPreTraining, HIDDEN_WORDS | {"next_head": "cls.seq_relationship"}),
    _layout("BertForMaskedLM", BERTForMaskedLM, HIDDEN_WORDS),
    _layout("BertForSequenceClassification", BERTForSequenceClassification, CLASSIFIER),
    _layout("BertForTokenClassification", BERTForTokenClassification, CLASSIFIER),
)
