"""One decoding step on a GPU, recorded as a CUDA graph: the fast twin of `model.next_logits` for one token.

A token is some hundred kernels of a few microseconds each: to start them one by one from Python takes longer than to
run them. A graph starts them all with one call. What changes from token to token (the ids, where each row stands) lies
in the GPU's memory; what the host knows is frozen into the graph, so it is recorded anew when the cache has grown.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor, no_grad
from tinygrad_llm.backend import Array, fused, namespace, to_device
from tinygrad_llm.backend.stream import Graph
from tinygrad_llm.models.gpt import GPT
from tinygrad_llm.models.llama import Llama
from tinygrad_llm.nn import Attention, Experts
from tinygrad_llm.nn.position import OnePosition


def gpu_step(model: Any, batch: int) -> GpuStep | None:
    """The step for this model and batch size; None where it is not a GPT or a Llama on a GPU, or has parts without
    kernels or whose work depends on what the host does not know."""
    if type(model) not in (GPT, Llama) or model.device != "cuda" or fused(model.token_embedding.weight.data) is None:
        return None
    parts = [m for _, m in model.named_modules() if isinstance(m, Attention | Experts)]
    return GpuStep(model, batch) if all(_is_steady(m, model) for m in parts) else None


def _is_steady(layer: Attention | Experts, model: GPT | Llama) -> bool:
    """Whether the layer does the same for texts of any length: a table of positions has none of its own to turn by."""
    if isinstance(layer, Experts):
        return type(layer) is Experts and layer.is_steady(model.token_embedding.weight.data)
    if type(layer) is not Attention:
        return False
    if layer.rope_base is None or layer.rope_scaling is None:
        return layer.rope_base is None or type(model) is Llama
    return type(model) is Llama and not layer.rope_scaling.depends_on(model.config.block_size)


class GpuStep:
    """step(ids (B,), cache) -> logits (B, V), in an array that the next call overwrites; the cache grows by a token.

    The first steps after the cache's memory is new run kernel by kernel, the next is recorded, all others are replayed.
    It has to be called in a stream of its own (`own_stream`), which CUDA can record.
    """

    WARM_UP = 2

    def __init__(self, model: GPT | Llama, batch: int) -> None:
        self.model, xp = model, namespace(model.token_embedding.weight.data)
        self.ids, self.rows = xp.zeros((batch, 1), np.int64), xp.arange(batch)
        # where each row's next token stands in its text, and in the cache, whose window may have dropped some
        self.places = xp.zeros((2, batch), np.int64)
        self.known = np.full((2, batch), -1)  # what `places` holds, as far as the host knows
        self.memory: list[Array] = []
        self.graph, self.done = Graph(), 0
        self.logits: Array | None = None

    def __call__(self, ids_B: Array, cache: Any) -> Array:
        """Asks for the step and does not wait for it."""
        self._follow(cache)
        self.ids[:, 0] = to_device(ids_B, "cuda")
        if self.done == self.WARM_UP:
            with self.graph.recording():
                self.logits = self._forward()
        if self.done < self.WARM_UP:
            with self.graph.memory():
                self.logits = self._forward()
        else:
            self.graph.launch()
        self.done += 1
        cache.advance(1)
        self.known += 1
        assert self.logits is not None
        return self.logits

    def _follow(self, cache: Any) -> None:
        """Room in the cache for one more token, and the places on the GPU; another memory needs another graph."""
        self.cache, places = cache, np.array([cache.lengths, cache.used()])
        for layer in cache.layers:
            layer.room(layer.keys, layer.values, int(places[1].max()) + 1)
        memory = [array for layer in cache.layers for array in (layer.keys, layer.values)]
        if len(memory) != len(self.memory) or any(a is not b for a, b in zip(memory, self.memory)):
            self.memory, self.graph, self.done = memory, Graph(), 0
        if not np.array_equal(self.known, places):
            self.places[...] = to_device(places, "cuda")
            self.known = places

    def _forward(self) -> Array:
        positions: Any = self.places[0][:, None]
        if type(self.model) is Llama:
            positions = OnePosition(self.places[0], self.model.config.block_size)
        with no_grad():
            cache: Any = _OnDevice(self)
            states = self.model.hidden(self.ids, positions=positions, cache=cache)
            logits = ops.linear(states[:, 0], *self.model.head()).data
        self.places += 1
        return logits


class _OnDevice:
    """The cache as the model sees it in here: every row has a length of its own, which only the GPU knows."""

    def __init__(self, step: GpuStep) -> None:
        self.step, self.longest = step, step.cache.longest

    def __getitem__(self, layer: int) -> _LayerOnDevice:
        return _LayerOnDevice(self.step, layer)

    def advance(self, time: int) -> None:
        """The host's cache counts; see GpuStep."""


class _LayerOnDevice:
    def __init__(self, step: GpuStep, layer: int) -> None:
        self.step, self.layer = step, step.cache.layers[layer]

    def extend(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Array]:
        """See LayerCache: the new keys and values (B, G, 1, .) go behind those of each row."""
        slots = self.step.places[1]
        place = self.step.rows, slice(None), slots
        self.layer.keys[place], self.layer.values[place] = k.data[:, :, 0], v.data[:, :, 0]
        keys, values = (Tensor.result(x, None, None) for x in (self.layer.keys, self.layer.values))
        return keys, values, slots + 1
