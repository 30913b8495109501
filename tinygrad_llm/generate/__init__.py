"""From probabilities to text."""

from tinygrad_llm.generate.beam import Hypothesis, beam_search
from tinygrad_llm.generate.constrain import Constraint
from tinygrad_llm.generate.contrastive import contrastive_search
from tinygrad_llm.generate.conversation import Conversation
from tinygrad_llm.generate.decode import Generated, generate
from tinygrad_llm.generate.processors import processors
from tinygrad_llm.generate.reader import Reader
from tinygrad_llm.generate.sampling import MinP, Sampler, Temperature, TopK, TopP, Transform, TypicalP

__all__ = [
    "Constraint",
    "Conversation",
    "Generated",
    "Hypothesis",
    "MinP",
    "Reader",
    "Sampler",
    "Temperature",
    "TopK",
    "TopP",
    "Transform",
    "TypicalP",
    "beam_search",
    "contrastive_search",
    "generate",
    "processors",
]
