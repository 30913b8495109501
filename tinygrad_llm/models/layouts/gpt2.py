"""GPT-2.  Source: Radford et al., 2019; transformers' modeling_gpt2."""

from __future__ import annotations

from tinygrad_llm.models.gpt import GPT, GPTConfig
from tinygrad_llm.models.layout import Layout, Option, Size, Stored
from tinygrad_llm.models.layouts.common import HARMLESS, NEVER

GPT2 = Layout(
    "gpt2", "GPT2LMHeadModel", GPT, GPTConfig,
    sizes={
        "vocab_size": Size("vocab_size", "transformer.wte.weight"),
        "block_size": Size("n_positions", "transformer.wpe.weight"),
        "n_layer": Size("n_layer", "transformer.h.*.ln_1.weight", stack="blocks"),
        "n_head": Size("n_head"),
        "n_embd": Size("n_embd", "transformer.wte.weight", axis=1),
    },
    tensors={
        "token_embedding": "transformer.wte",
        "position_embedding": "transformer.wpe",
        "blocks.*.norm_1": "transformer.h.*.ln_1",
        "blocks.*.attention.{q_proj,k_proj,v_proj}": Stored("transformer.h.*.attn.c_attn", transposed=True),
        "blocks.*.attention.o_proj": Stored("transformer.h.*.attn.c_proj", transposed=True),
        "blocks.*.norm_2": "transformer.h.*.ln_2",
        "blocks.*.mlp.up_proj": Stored("transformer.h.*.mlp.c_fc", transposed=True),
        "blocks.*.mlp.down_proj": Stored("transformer.h.*.mlp.c_proj", transposed=True),
        "norm": "transformer.ln_f",
        "output": "lm_head",
    },
    options={
        "tied": Option("tie_word_embeddings", True), "bias": Option("bias", True),
        "dropout": Option("resid_pdrop", 0.1),
    },
    fixed={
        "activation_function": ("gelu_new", "gelu_pytorch_tanh"), "layer_norm_epsilon": (1e-5,),
        "n_inner": lambda c: (None, 4 * c.n_embd), "scale_attn_weights": (True,),
        "scale_attn_by_inverse_layer_idx": (False,), "add_cross_attention": (False,),
    },
    assumed=NEVER | {"is_encoder_decoder": (False,)},
    harmless=HARMLESS | {
        "n_ctx", "reorder_and_upcast_attn", "summary_type", "summary_use_proj", "summary_activation",
        "summary_proj_to_labels", "summary_first_dropout",
    },
    written={
        "embd_pdrop": lambda c: c.dropout, "attn_pdrop": lambda c: c.dropout,
        "bos_token_id": None, "eos_token_id": None,
    },
    prefix="transformer.",
    copies={"lm_head.weight": "transformer.wte.weight"},
    ignored=("transformer.h.*.attn.bias", "transformer.h.*.attn.masked_bias"),  # old files hold the causal mask itself
    zeros="bias",
)  # fmt: skip
