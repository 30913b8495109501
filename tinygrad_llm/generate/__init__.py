"""From probabilities to text."""

from tinygrad_llm.generate.decode import generate
from tinygrad_llm.generate.sampling import Sampler

__all__ = ["Sampler", "generate"]
