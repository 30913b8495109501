"""BART.  Source: Lewis et al., 2020; transformers' modeling_bart."""

from __future__ import annotations

from tinygrad_llm.models.encoder_decoder import EncoderDecoder, EncoderDecoderConfig
from tinygrad_llm.models.layout import Layout, Option, Size, Stored
from tinygrad_llm.models.layouts.common import HARMLESS, NEVER

BART = Layout(
    "bart", "BartForConditionalGeneration", EncoderDecoder, EncoderDecoderConfig,
    sizes={
        "vocab_size": Size("vocab_size", "model.shared.weight"),
        "block_size": Size("max_position_embeddings", "model.encoder.embed_positions.weight", extra=2),
        "n_encoder_layer": Size("encoder_layers", "model.encoder.layers.*.fc1.weight", stack="encoder.blocks"),
        "n_decoder_layer": Size("decoder_layers", "model.decoder.layers.*.fc1.weight", stack="decoder.blocks"),
        "n_head": Size("encoder_attention_heads", same=("decoder_attention_heads",)),
        "n_embd": Size("d_model", "model.shared.weight", axis=1),
        "n_hidden": Size("encoder_ffn_dim", "model.encoder.layers.0.fc1.weight", same=("decoder_ffn_dim",)),
    },
    tensors={"token_embedding": "model.shared", "logits_bias": "final_logits_bias"} | {
        f"{half}.{ours}": Stored(f"model.{half}.{theirs}", unread=2 * (ours == "position_embedding"))
        for half in ("encoder", "decoder")
        for ours, theirs in {
            "position_embedding": "embed_positions",  # two rows first, a leftover of fairseq's numbering
            "embedding_norm": "layernorm_embedding",
            "blocks.*.self_attention.o_proj": "layers.*.self_attn.out_proj",
            "blocks.*.self_attention.*": "layers.*.self_attn.*",
            "blocks.*.self_attention_norm": "layers.*.self_attn_layer_norm",
            "blocks.*.cross_attention.o_proj": "layers.*.encoder_attn.out_proj",
            "blocks.*.cross_attention.*": "layers.*.encoder_attn.*",
            "blocks.*.cross_attention_norm": "layers.*.encoder_attn_layer_norm",
            "blocks.*.mlp.up_proj": "layers.*.fc1",
            "blocks.*.mlp.down_proj": "layers.*.fc2",
            "blocks.*.mlp_norm": "layers.*.final_layer_norm",
        }.items()
    },
    options={
        "activation": Option("activation_function", "gelu"), "scale_embedding": Option("scale_embedding", False),
        "init_std": Option("init_std", 0.02), "dropout": Option("dropout", 0.1), "pad_id": Option("pad_token_id", 1),
        "start_id": Option("decoder_start_token_id", 2), "end_id": Option("eos_token_id", 2),
    },
    fixed={"is_encoder_decoder": (True,), "tie_word_embeddings": (True,)},
    assumed=NEVER | {
        "num_hidden_layers": lambda c: (c.n_encoder_layer,),
        "normalize_before": (False,), "normalize_embedding": (True,), "add_final_layer_norm": (False,),
        "add_bias_logits": (False,), "static_position_embeddings": (False,), "extra_pos_embeddings": (2,),
    },
    harmless=HARMLESS | {"encoder_layerdrop", "decoder_layerdrop", "classif_dropout", "replacing_rate",
                         "student_encoder_layers", "student_decoder_layers"},
    written={
        "attention_dropout": lambda c: c.dropout, "activation_dropout": lambda c: c.dropout,
        "bos_token_id": lambda c: c.start_id, "forced_eos_token_id": None,
    },
    prefix="model.",
    copies=dict.fromkeys(
        ("model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight", "lm_head.weight"),
        "model.shared.weight"),
    optional=("final_logits_bias",),
)  # fmt: skip
