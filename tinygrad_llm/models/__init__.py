"""Whole models, and their files."""

from tinygrad_llm.models.gpt import GPT, GPTConfig
from tinygrad_llm.models.pretrained import from_pretrained, save_pretrained

__all__ = ["GPT", "GPTConfig", "from_pretrained", "save_pretrained"]
