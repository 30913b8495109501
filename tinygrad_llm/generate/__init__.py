"""From probabilities to text."""

from tinygrad_llm.generate.beam import Hypothesis, beam_search
from tinygrad_llm.generate.decode import generate
from tinygrad_llm.generate.sampling import Sampler

__all__ = ["Hypothesis", "Sampler", "beam_search", "generate"]
