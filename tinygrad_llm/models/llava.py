"""LLaVA: a language model that sees. A picture's patches become vectors like those of words, and stand in the text.

Liu et al., "Visual Instruction Tuning", 2023; the two-layer projector is that of Liu et al., "Improved Baselines with
Visual Instruction Tuning", 2024. CLIP's encoder reads the picture, the projector brings its states to the width of the
language model, and these take the places of the image tokens in the prompt. From there on all is as with words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import Array, namespace, to_device_of
from tinygrad_llm.errors import ConfigError, ShapeError
from tinygrad_llm.models.base import Batch, LanguageModel
from tinygrad_llm.models.clip import CLIPVision, CLIPVisionConfig
from tinygrad_llm.models.decoder import Decoder
from tinygrad_llm.models.llama import Llama, LlamaConfig
from tinygrad_llm.models.sizes import check_activation
from tinygrad_llm.models.vit import positions_of
from tinygrad_llm.nn import ACTIVATIONS, KVCache, Linear, Module, Rng


@dataclass(frozen=True)
class LLaVAConfig:
    """The configurations of the encoder of pictures and of the language model, and what stands between them.

    image_id        the token in whose places a picture's vectors stand.
    feature_layer   the block whose states are read: -1 the last, -2 the one before it; from 0, what the first reads.
    class_token     whether its state is read, too, before those of the patches.
    activation      of the projector, a name in nn.ACTIVATIONS.
    projector_bias  of its two layers.
    """

    vision: CLIPVisionConfig
    text: LlamaConfig
    image_id: int
    feature_layer: int = -2
    class_token: bool = False
    activation: str = "gelu"
    projector_bias: bool = True

    def __post_init__(self) -> None:
        check_activation(self)
        if type(self.image_id) is not int or not 0 <= self.image_id < self.text.vocab_size:
            raise ConfigError("image_id", f"a token id, 0 to {self.text.vocab_size - 1}", self.image_id)
        most = self.vision.n_layer
        if type(self.feature_layer) is not int or not -most - 1 <= self.feature_layer <= most:
            raise ConfigError("feature_layer", f"{-most - 1} to {most}", self.feature_layer)

    @property
    def tied(self) -> bool:
        """Whether the language model's head is its table."""
        return self.text.tied

    @property
    def layers(self) -> int:
        """How many blocks of the encoder are run."""
        return self.feature_layer % (self.vision.n_layer + 1)

    @property
    def n_feature(self) -> int:
        """N, how many vectors a picture becomes: so many image tokens stand in a text."""
        return positions_of(self.vision) - (not self.class_token)


class Projector(Module):
    """linear_2(activation(linear_1(x))).  (..., D of pictures) -> (..., D of words)"""

    def __init__(self, config: LLaVAConfig, make: dict[str, Any]) -> None:
        width = config.text.n_embd
        self.linear_1 = Linear(config.vision.n_embd, width, config.projector_bias, **make)
        self.linear_2 = Linear(width, width, config.projector_bias, **make)
        self.activation = config.activation

    def __call__(self, x: Tensor) -> Tensor:
        return self.linear_2(ACTIVATIONS[self.activation](self.linear_1(x)))


class LLaVA(Module):
    """logits = language model(words, and the projected states of a picture's patches among them).

    (B, C, S, S), (B, T) integers -> (B, T, V); in each text stand N image tokens, in their places the N vectors.
    """

    def __init__(self, config: LLaVAConfig, *, rng: np.random.Generator, dtype: Any = np.float32) -> None:
        self.config, make = config, {"rng": rng, "dtype": dtype}
        self.vision_tower = CLIPVision(config.vision, **make)
        self.projector = Projector(config, make)
        self.language_model = Llama(config.text, **make)

    def __call__(self, pictures: Any, tokens: Any, *, rng: Rng | None = None, dtype: Any = None) -> Tensor:
        """Logits of the token after each position.  Dropout is active when an rng is given."""
        return self.given(pictures, rng, dtype)(tokens, rng=rng, dtype=dtype)

    def features(self, pictures: Any, rng: Rng | None = None, dtype: Any = None) -> Tensor:
        """What stands in the text for each picture.  (B, C, S, S) -> (B, N, D)"""
        states = self.vision_tower(pictures, rng=rng, dtype=dtype, layers=self.config.layers)
        return self.projector(states if self.config.class_token else states[:, 1:])

    def given(self, pictures: Any, rng: Rng | None = None, dtype: Any = None) -> SeeingDecoder:
        """The language model of texts that speak of these pictures, one each: p(text | picture)."""
        return SeeingDecoder(self.language_model, self.features(pictures, rng, dtype), self.config.image_id)

    def loss(self, batch: Batch, *, rng: Rng | None = None, divisor: float | None = None, dtype: Any = None) -> Tensor:
        """The mean of -ln p(target), in nats a token, over the targets that are not ignored.  -> ()

        batch    "pictures" (B, C, S, S), "tokens" and "targets" (B, T); a "mask" and "positions" where it has them.
                 What is not to be learned, such as the picture's places and the question, is ops.IGNORE in the targets.
        divisor  divides the sum instead of the count, for parts of a batch.
        dtype    of the activations, that of the weights where None; the loss of bfloat16 is float32.

        The cross-entropy alone: the balance loss of a text's experts is not added, as in transformers.
        """
        words = {name: array for name, array in batch.items() if name != "pictures"}
        return self.given(batch["pictures"], rng, dtype).loss(words, rng=rng, divisor=divisor, dtype=dtype)


class SeeingDecoder(LanguageModel):
    """A language model for given pictures: of each text that is read from its beginning, the image tokens are the
    picture's features (B, N, D).

    A batch of texts has one row a picture; for several texts of one picture, `new_cache`, read the prompt, and `repeat`
    the cache. What follows in a cache is words: an image token there is one like any other.
    """

    def __init__(self, language_model: Decoder, features: Tensor, image_id: int) -> None:
        self.language_model, self.features, self.image_id = language_model, features, image_id
        self.vocab_size, self.block_size = language_model.vocab_size, language_model.block_size

    def hidden(
        self,
        tokens: Any,
        *,
        mask: Any = None,
        positions: Any = None,
        cache: KVCache | None = None,
        rng: Rng | None = None,
        dtype: Any = None,
    ) -> Tensor:
        """The states after the last norm.  (B, T) -> (B, T, D); see LanguageModel.

        Raises ShapeError for texts that have not N image tokens each, where they are read from their beginning.
        """
        tokens = self._token_ids(tokens, 0 if cache is None else cache.longest)
        x = self.language_model.embedded(tokens, positions, cache)
        if cache is None or not cache.longest:
            x = self._seen(tokens, x)
        return self.language_model.read(x, mask=mask, positions=positions, cache=cache, rng=rng, dtype=dtype)

    def _seen(self, tokens: Array, words: Tensor) -> Tensor:
        """The words' vectors with those of the picture in their places: the first at the first image token, and so on.

        (B, T), (B, T, D) -> (B, T, D)
        """
        xp, shown = namespace(tokens), tokens == self.image_id
        batch, count, width = self.features.shape
        if isinstance(tokens, np.ndarray):  # a GPU's own numbers are not looked at: nobody waits for them here
            found = shown.sum(1).tolist()
            if found != [count] * batch:
                next_step = "A text that is longer than the block loses its beginning, and the picture with it."
                raise ShapeError("tokens", f"{count} image tokens in each of {batch} texts", found, next_step)
        number = xp.clip(xp.cumsum(shown, 1) - 1, 0, count - 1)  # of the picture's vector, at an image token
        rows = to_device_of(count * np.arange(batch)[:, None], tokens)
        features = self.features if self.features.dtype == words.dtype else self.features.astype(words.dtype)
        return ops.where(shown[..., None], ops.embedding(features.reshape(batch * count, width), rows + number), words)

    def behind_a_prompt(self) -> LanguageModel:
        """See LanguageModel: what follows is words."""
        return self.language_model

    def head(self) -> tuple[Tensor, Tensor | None]:
        """See LanguageModel."""
        return self.language_model.head()

    def new_cache(self, batch: int, capacity: int = 64) -> KVCache:
        """See LanguageModel."""
        return self.language_model.new_cache(batch, capacity)
