"""Whole models, and their files."""

from tinygrad_llm.models.bert import (
    BERT,
    BERTConfig,
    BERTForMaskedLM,
    BERTForPreTraining,
    BERTForSequenceClassification,
    BERTForTokenClassification,
)
from tinygrad_llm.models.clip import CLIP, CLIPConfig, CLIPText, CLIPTextConfig, CLIPVision, CLIPVisionConfig
from tinygrad_llm.models.encoder_decoder import EncoderDecoder, EncoderDecoderConfig
from tinygrad_llm.models.gpt import GPT, GPTConfig
from tinygrad_llm.models.hugging_face import from_pretrained, save_pretrained
from tinygrad_llm.models.llama import Llama, LlamaConfig
from tinygrad_llm.models.llava import LLaVA, LLaVAConfig
from tinygrad_llm.models.rnn_lm import RNNLM, RNNLMConfig
from tinygrad_llm.models.vit import ViT, ViTConfig, ViTForImageClassification

__all__ = [
    "BERT",
    "CLIP",
    "GPT",
    "RNNLM",
    "BERTConfig",
    "BERTForMaskedLM",
    "BERTForPreTraining",
    "BERTForSequenceClassification",
    "BERTForTokenClassification",
    "CLIPConfig",
    "CLIPText",
    "CLIPTextConfig",
    "CLIPVision",
    "CLIPVisionConfig",
    "EncoderDecoder",
    "EncoderDecoderConfig",
    "GPTConfig",
    "LLaVA",
    "LLaVAConfig",
    "Llama",
    "LlamaConfig",
    "RNNLMConfig",
    "ViT",
    "ViTConfig",
    "ViTForImageClassification",
    "from_pretrained",
    "save_pretrained",
]
