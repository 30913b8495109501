"""What configurations of all architectures may say."""

from __future__ import annotations

from typing import Any

from tinygrad_llm.models.layout import Option

DECODING = set(
    """
    max_length min_length do_sample early_stopping num_beams num_beam_groups diversity_penalty temperature top_k top_p
    typical_p repetition_penalty length_penalty no_repeat_ngram_size encoder_no_repeat_ngram_size bad_words_ids
    num_return_sequences output_scores return_dict_in_generate forced_bos_token_id forced_eos_token_id
    force_bos_token_to_be_generated remove_invalid_values exponential_decay_length_penalty suppress_tokens
    begin_suppress_tokens task_specific_params prefix use_cache bos_token_id eos_token_id pad_token_id sep_token_id
""".split()
)
"""Keys of old files about how a text is drawn, which is not the model's business."""
HARMLESS = DECODING | set(
    """
    architectures dtype torch_dtype transformers_version _name_or_path _commit_hash _num_labels tokenizer_class
    finetuning_task id2label label2id problem_type return_dict output_hidden_states output_attentions output_past
    chunk_size_feed_forward gradient_checkpointing torchscript use_bfloat16 initializer_range
    _attn_implementation _attn_implementation_autoset classifier_dropout
""".split()
)
NEVER: dict[str, tuple] = {
    "add_cross_attention": (False,), "cross_attention_hidden_size": (None,), "pruned_heads": ({}, None),
    "is_decoder": (False,), "tie_encoder_decoder": (False,),
}  # fmt: skip
"""What no model here does."""


def _names(labels: dict[str, str]) -> tuple[str, ...]:
    return tuple(labels[str(i)] for i in range(len(labels)))


def _numbered(labels: tuple[str, ...]) -> dict[str, str]:
    return {str(i): label for i, label in enumerate(labels)}


LABELS = Option("id2label", {"0": "LABEL_0", "1": "LABEL_1"}, _names, _numbered)
"""The classes of a classifier."""


def numbers_of_labels(config: Any) -> dict[str, int]:
    """What label2id says of a configuration with these labels."""
    return {label: i for i, label in enumerate(config.labels)}


def patch_form(config: Any) -> tuple[int, int, int, int]:
    """The shape of the patches' projection there, which is a convolution: (D, C, P, P)."""
    return config.n_embd, config.n_channel, config.patch_size, config.patch_size
