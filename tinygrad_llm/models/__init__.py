"""Whole models, and their files."""

from tinygrad_llm.models.bert import (
    BERT,
    BERTConfig,
    BERTForMaskedLM,
    BERTForPreTraining,
    BERTForSequenceClassification,
    BERTForTokenClassification,
)
from tinygrad_llm.models.encoder_decoder import EncoderDecoder, EncoderDecoderConfig
from tinygrad_llm.models.gpt import GPT, GPTConfig
from tinygrad_llm.models.hugging_face import from_pretrained, save_pretrained
from tinygrad_llm.models.llama import Llama, LlamaConfig
from tinygrad_llm.models.rnn_lm import RNNLM, RNNLMConfig

__all__ = [
    "BERT",
    "GPT",
    "RNNLM",
    "BERTConfig",
    "BERTForMaskedLM",
    "BERTForPreTraining",
    "BERTForSequenceClassification",
    "BERTForTokenClassification",
    "EncoderDecoder",
    "EncoderDecoderConfig",
    "GPTConfig",
    "Llama",
    "LlamaConfig",
    "RNNLMConfig",
    "from_pretrained",
    "save_pretrained",
]
