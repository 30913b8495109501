"""The tables of all architectures whose files open here."""

from tinygrad_llm.models.layouts.bart import BART
from tinygrad_llm.models.layouts.bert import BERTS
from tinygrad_llm.models.layouts.clip import CLIPS
from tinygrad_llm.models.layouts.gpt2 import GPT2
from tinygrad_llm.models.layouts.llama import LLAMAS
from tinygrad_llm.models.layouts.llava import LLAVAS
from tinygrad_llm.models.layouts.vit import VITS

LAYOUTS = (GPT2, BART, *BERTS, *LLAMAS, *VITS, *CLIPS, *LLAVAS)
