"""CLIP and its two encoders.  Source: Radford et al., 2021; transformers' modeling_clip."""

from __future__ import annotations

from typing import Any

from tinygrad_llm.models.clip import CLIP, CLIPConfig, CLIPText, CLIPTextConfig, CLIPVision, CLIPVisionConfig
from tinygrad_llm.models.layout import Layout, Option, Size, Stored
from tinygrad_llm.models.layouts.common import HARMLESS, NEVER, patch_form
from tinygrad_llm.models.layouts.parts import Part, joined

LAYER, PATCHES = "encoder.layers.*.", "embeddings.patch_embedding.weight"
BLOCK: dict[str, str | Stored] = {
    "blocks.*.norm_1": f"{LAYER}layer_norm1",
    "blocks.*.attention.o_proj": f"{LAYER}self_attn.out_proj",
    "blocks.*.attention.*": f"{LAYER}self_attn.*",
    "blocks.*.norm_2": f"{LAYER}layer_norm2",
    "blocks.*.mlp.up_proj": f"{LAYER}mlp.fc1",
    "blocks.*.mlp.down_proj": f"{LAYER}mlp.fc2",
}
IN_PICTURES: dict[str, str | Stored] = {
    "embedding.class_token": "embeddings.class_embedding",
    "embedding.patches.proj.weight": Stored(PATCHES, form=patch_form),
    "embedding.positions": "embeddings.position_embedding",
    "norm_before": "pre_layrnorm",
    "norm_of_pooled": "post_layernorm",
}
OPTIONS = {"activation": Option("hidden_act", "quick_gelu"), "norm_eps": Option("layer_norm_eps", 1e-5)}
UNREAD = HARMLESS | {"initializer_factor", "projection_dim"}
"""The size of the common space is said once more in each encoder's configuration, rightly or not."""


def _sizes(sizes: dict[str, Size], width: Size, heads: int, hidden: int) -> dict[str, Size]:
    """Those of the blocks, after an encoder's own; files of before transformers 5 leave out the defaults."""
    return sizes | {
        "n_layer": Size("num_hidden_layers", f"{LAYER}mlp.fc1.weight", stack="blocks", default=12),
        "n_head": Size("num_attention_heads", default=heads), "n_embd": width,
        "n_hidden": Size("intermediate_size", "encoder.layers.0.mlp.fc1.weight", default=hidden),
    }  # fmt: skip


ALIKE: dict[str, Any] = {
    "fixed": {"attention_dropout": (0.0,)}, "assumed": NEVER | {"dropout": (0.0,), "is_encoder_decoder": (False,)},
    "harmless": UNREAD,
}  # fmt: skip
CLIP_VISION = Layout(
    "clip_vision_model", "CLIPVisionModel", CLIPVision, CLIPVisionConfig,
    sizes=_sizes({
        "image_size": Size("image_size", default=224),
        "patch_size": Size("patch_size", PATCHES, axis=2, default=32),
        "n_channel": Size("num_channels", PATCHES, axis=1, default=3),
    }, Size("hidden_size", PATCHES, default=768), 12, 3072),
    tensors=IN_PICTURES | BLOCK,
    options=OPTIONS, ignored=("embeddings.position_ids",), renamed={"vision_model.": ""},
    **ALIKE | {"harmless": UNREAD | {"vocab_size"}},  # a leftover in LLaVA's files
)  # fmt: skip
CLIP_TEXT = Layout(
    "clip_text_model", "CLIPTextModel", CLIPText, CLIPTextConfig,
    sizes=_sizes({
        "vocab_size": Size("vocab_size", "embeddings.token_embedding.weight", default=49408),
        "block_size": Size("max_position_embeddings", "embeddings.position_embedding.weight", default=77),
    }, Size("hidden_size", "embeddings.token_embedding.weight", axis=1, default=512), 8, 2048),
    tensors={
        "token_embedding": "embeddings.token_embedding",
        "position_embedding": "embeddings.position_embedding",
        "norm": "final_layer_norm",
    } | BLOCK,
    options=OPTIONS | {"end_id": Option("eos_token_id", 49407)},
    written={"bos_token_id": None, "pad_token_id": None},
    ignored=("embeddings.position_ids",), renamed={"text_model.": ""}, **ALIKE,
)  # fmt: skip
WHOLE = Layout(
    "clip", "CLIPModel", CLIP, CLIPConfig,
    sizes={"n_joint": Size("projection_dim", "text_projection.weight", default=512)},
    tensors={
        "visual_projection": "visual_projection",
        "text_projection": "text_projection",
        "logit_scale": Stored("logit_scale", form=lambda c: ()),
    },
    options={"logit_scale": Option("logit_scale_init_value", 2.6592)},
    assumed=NEVER | {"is_encoder_decoder": (False,)}, harmless=UNREAD - {"projection_dim"},
)  # fmt: skip
CLIPS = (
    joined(
        WHOLE,
        Part(CLIP_VISION, "vision", "vision_config", "vision_model.", "vision_model."),
        Part(CLIP_TEXT, "text", "text_config", "text_model.", "text_model."),
    ),
    CLIP_VISION,
    CLIP_TEXT,
)
