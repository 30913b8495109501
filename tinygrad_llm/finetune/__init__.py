"""Fine-tuning: a model that is there already, changed a little, by few numbers of its own."""

from tinygrad_llm.finetune.adapted import BASE, Adapted, Adapter
from tinygrad_llm.finetune.budget import METHODS, Footprint, footprint
from tinygrad_llm.finetune.config import AdapterConfig
from tinygrad_llm.finetune.freeze import freeze, unfreeze
from tinygrad_llm.finetune.houlsby import Houlsby, HoulsbyConfig
from tinygrad_llm.finetune.ia3 import IA3, IA3Config
from tinygrad_llm.finetune.lora import DoRA, LoRA, LoraConfig
from tinygrad_llm.finetune.model import PeftModel, PeftModelForCausalLM, get_peft_model
from tinygrad_llm.finetune.peft_prompts import load_virtual_tokens, save_virtual_tokens
from tinygrad_llm.finetune.prefix import PrefixModel, PrefixTuningConfig, prefix_tuned
from tinygrad_llm.finetune.prompt import PromptModel, PromptTuningConfig, prompt_tuned
from tinygrad_llm.finetune.spectrum import best_rank, rank_share

__all__ = [
    "BASE",
    "IA3",
    "METHODS",
    "Adapted",
    "Adapter",
    "AdapterConfig",
    "DoRA",
    "Footprint",
    "Houlsby",
    "HoulsbyConfig",
    "IA3Config",
    "LoRA",
    "LoraConfig",
    "PeftModel",
    "PeftModelForCausalLM",
    "PrefixModel",
    "PrefixTuningConfig",
    "PromptModel",
    "PromptTuningConfig",
    "best_rank",
    "footprint",
    "freeze",
    "get_peft_model",
    "load_virtual_tokens",
    "prefix_tuned",
    "prompt_tuned",
    "rank_share",
    "save_virtual_tokens",
    "unfreeze",
]
