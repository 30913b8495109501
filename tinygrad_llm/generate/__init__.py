"""From probabilities to text."""

from tinygrad_llm.generate.beam import Hypothesis, beam_search
from tinygrad_llm.generate.conversation import Conversation
from tinygrad_llm.generate.decode import Generated, generate
from tinygrad_llm.generate.reader import Reader
from tinygrad_llm.generate.sampling import Sampler, Temperature, TopK, TopP, Transform

__all__ = [
    "Conversation",
    "Generated",
    "Hypothesis",
    "Reader",
    "Sampler",
    "Temperature",
    "TopK",
    "TopP",
    "Transform",
    "beam_search",
    "generate",
]
