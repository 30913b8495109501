"""ViT and its classifier.  Source: Dosovitskiy et al., 2021; transformers' modeling_vit."""

from __future__ import annotations

from typing import Any

from tinygrad_llm.models.layout import Layout, Option, Size, Stored
from tinygrad_llm.models.layouts.common import HARMLESS, LABELS, NEVER, numbers_of_labels, patch_form
from tinygrad_llm.models.layouts.parts import under
from tinygrad_llm.models.vit import ViT, ViTConfig, ViTForImageClassification, positions_of

PATCHES, LAYER = "embeddings.patch_embeddings.projection", "encoder.layer.*."
ENCODER: dict[str, str | Stored] = {
    "embedding.class_token": Stored("embeddings.cls_token", form=lambda c: (1, 1, c.n_embd)),
    "embedding.patches.proj.weight": Stored(f"{PATCHES}.weight", form=patch_form),
    "embedding.patches.proj": PATCHES,
    "embedding.positions.weight": Stored(
        "embeddings.position_embeddings", form=lambda c: (1, positions_of(c), c.n_embd)
    ),
    "blocks.*.norm_1": f"{LAYER}layernorm_before",
    "blocks.*.attention.q_proj": f"{LAYER}attention.attention.query",
    "blocks.*.attention.k_proj": f"{LAYER}attention.attention.key",
    "blocks.*.attention.v_proj": f"{LAYER}attention.attention.value",
    "blocks.*.attention.o_proj": f"{LAYER}attention.output.dense",
    "blocks.*.norm_2": f"{LAYER}layernorm_after",
    "blocks.*.mlp.up_proj": f"{LAYER}intermediate.dense",
    "blocks.*.mlp.down_proj": f"{LAYER}output.dense",
    "norm": "layernorm",
    "pooler": "pooler.dense",
}


def _layout(architecture: str, model: type, tensors: dict[str, Any], prefix: str = "") -> Layout:
    """The table of a model with this head: its own tensors, and those of the encoder behind a prefix."""
    patches, layers = f"{prefix}{PATCHES}.weight", f"{prefix}{LAYER}intermediate.dense.weight"
    return Layout(
        "vit", architecture, model, ViTConfig,
        sizes={
            "image_size": Size("image_size", default=224),
            "patch_size": Size("patch_size", patches, axis=2, default=16),
            "n_channel": Size("num_channels", patches, axis=1, default=3),
            "n_layer": Size("num_hidden_layers", layers, stack=f"{prefix}blocks", default=12),
            "n_head": Size("num_attention_heads", default=12), "n_embd": Size("hidden_size", patches, default=768),
            "n_hidden": Size("intermediate_size", layers.replace("*", "0"), default=3072),
        },
        tensors=under(prefix, prefix, ENCODER) | tensors,
        options={
            "dropout": Option("hidden_dropout_prob", 0.0), "activation": Option("hidden_act", "gelu"),
            "norm_eps": Option("layer_norm_eps", 1e-12), "qkv_bias": Option("qkv_bias", True),
            "init_std": Option("initializer_range", 0.02), "labels": LABELS,
        },
        fixed={"pooler_act": ("tanh",), "pooler_output_size": lambda c: (c.n_embd, None)},
        assumed=NEVER | {"problem_type": (None, "single_label_classification"), "is_encoder_decoder": (False,)},
        harmless=HARMLESS | {"encoder_stride"},
        written={"attention_probs_dropout_prob": lambda c: c.dropout, "label2id": numbers_of_labels},
        prefix=prefix,
    )  # fmt: skip


VITS = (
    _layout("ViTModel", ViT, {}),
    _layout("ViTForImageClassification", ViTForImageClassification, {"classifier": "classifier"}, "vit."),
)
