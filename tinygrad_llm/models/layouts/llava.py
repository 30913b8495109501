"""LLaVA around each language model that has a table.  Source: Liu et al., 2023; transformers' modeling_llava."""

from __future__ import annotations

from tinygrad_llm.models.layout import Layout, Option
from tinygrad_llm.models.layouts.clip import CLIP_VISION
from tinygrad_llm.models.layouts.common import HARMLESS, NEVER
from tinygrad_llm.models.layouts.llama import LLAMAS
from tinygrad_llm.models.layouts.parts import Part, joined
from tinygrad_llm.models.llava import LLaVA, LLaVAConfig

STRATEGIES = {"default": False, "full": True}
NAMES = {kept: name for name, kept in STRATEGIES.items()}
WHOLE = Layout(
    "llava", "LlavaForConditionalGeneration", LLaVA, LLaVAConfig,
    sizes={}, tensors={"projector.*": "multi_modal_projector.*"},
    options={
        "image_id": Option("image_token_index", 32000), "feature_layer": Option("vision_feature_layer", -2),
        "class_token": Option("vision_feature_select_strategy", "default", STRATEGIES.__getitem__, NAMES.__getitem__),
        "activation": Option("projector_hidden_act", "gelu"),
        "projector_bias": Option("multimodal_projector_bias", True),
    },
    fixed={"tie_word_embeddings": lambda c: (c.text.tied,)},
    assumed=NEVER | {
        "is_encoder_decoder": (False,), "ignore_index": (-100,), "vocab_size": lambda c: (c.text.vocab_size,),
    },
    harmless=HARMLESS,
    written={"image_seq_length": lambda c: c.n_feature},
)  # fmt: skip
LLAVAS = tuple(
    joined(
        WHOLE,
        Part(CLIP_VISION, "vision", "vision_config", "vision_tower.", "vision_tower."),
        Part(language, "text", "text_config", "language_model.", "language_model."),
    )
    for language in LLAMAS
)
