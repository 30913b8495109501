"""One decoding step on a GPU, recorded as a CUDA graph: the fast twin of `model.next_logits` for one token.

A token is some hundred kernels of a few microseconds each: to start them one by one from Python takes longer than to
run them. A graph starts them all with one call. What changes from token to token (the ids, how long each row is) lies
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
from tinygrad_llm.nn import Attention


def gpu_step(model: Any, batch: int) -> GpuStep | None:
    """The step for this model and batch size; None where it is not a GPT on a GPU, or has parts without kernels."""
    if type(model) is not GPT or model.device != "cuda" or fused(model.token_embedding.weight.data) is None:
        return None
    layers = [m for _, m in model.named_modules() if isinstance(m, Attention)]
    plain = all(type(m) is Attention and m.rope_base is None and m.window is None for m in layers)
    return GpuStep(model, batch) if plain else None


class GpuStep:
    """step(ids (B,), cache) -> logits (B, V), in an array that the next call overwrites; the cache grows by a token.

    The first steps after the cache's memory is new run kernel by kernel, the next is recorded, all others are replayed.
    It has to be called in a stream of its own (`own_stream`), which CUDA can record.
    """

    WARM_UP = 2

    def __init__(self, model: GPT, batch: int) -> None:
        self.model, xp = model, namespace(model.token_embedding.weight.data)
        self.ids, self.lengths = xp.zeros((batch, 1), np.int64), xp.zeros(batch, np.int64)
        self.rows = xp.arange(batch)
        self.known = np.full(batch, -1)  # what `lengths` holds, as far as the host knows
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
        self.known = cache.lengths.copy()
        assert self.logits is not None
        return self.logits

    def _follow(self, cache: Any) -> None:
        """Room in the cache for one more token, and its lengths on the GPU; another memory needs another graph."""
        self.cache, end = cache, cache.longest + 1
        for layer in cache.layers:
            layer.room(layer.keys, layer.values, end)
        memory = [array for layer in cache.layers for array in (layer.keys, layer.values)]
        if len(memory) != len(self.memory) or any(a is not b for a, b in zip(memory, self.memory)):
            self.memory, self.graph, self.done = memory, Graph(), 0
        if not np.array_equal(self.known, cache.lengths):
            self.lengths[...] = to_device(cache.lengths, "cuda")

    def _forward(self) -> Array:
        with no_grad():
            cache: Any = _OnDevice(self)
            states = self.model.hidden(self.ids, positions=self.lengths[:, None], cache=cache)
            logits = ops.linear(states[:, 0], *self.model.head()).data
        self.lengths += 1
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
        place = self.step.rows, slice(None), self.step.lengths
        self.layer.keys[place], self.layer.values[place] = k.data[:, :, 0], v.data[:, :, 0]
        keys, values = (Tensor.result(x, None, None) for x in (self.layer.keys, self.layer.values))
        return keys, values, self.step.lengths + 1
