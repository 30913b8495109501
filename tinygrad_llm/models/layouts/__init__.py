"""The tables of all architectures whose files open here."""

from tinygrad_llm.models.layouts.bart import BART
from tinygrad_llm.models.layouts.bert import BERTS
from tinygrad_llm.models.layouts.gpt2 import GPT2
from tinygrad_llm.models.layouts.llama import LLAMAS

LAYOUTS = (GPT2, BART, *BERTS, *LLAMAS)
