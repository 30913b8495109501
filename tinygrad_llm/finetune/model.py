"""A model with adapters: the tree rewritten, its own weights frozen, and adapters added, chosen, merged, and saved.

    model = get_peft_model(gpt, LoraConfig(("q_proj", "v_proj"), r=4), rng=np.random.default_rng(0))
    fit(model.loss, AdamW(model.named_parameters()), batches)      # moves the adapter, and nothing else
    gpt = model.merge_and_unload()                                 # a GPT again

Names and manner are peft's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.finetune.adapted import BASE, Adapted, Adapter, calling, linear_sizes
from tinygrad_llm.finetune.config import AdapterConfig
from tinygrad_llm.finetune.freeze import freeze
from tinygrad_llm.finetune.peft_files import from_peft, load_adapter, save_adapter, to_peft
from tinygrad_llm.models.base import LanguageModel
from tinygrad_llm.nn import Cache, Experts, Module, Rng, replace

DEFAULT = "default"
DISABLED: ContextVar[frozenset[int]] = ContextVar("tinygrad_llm_disabled", default=frozenset())
"""Models whose adapters are left out, by id."""


class PeftModel(Module):
    """A model of any kind whose linear layers have adapters. What it does not have itself it asks the model below.

    base_model   the model, with an `Adapted` in place of each layer that has an adapter. Its own parameters are those
                 of the model that it was made of, and frozen there too.
    peft_config  the configuration of each adapter, by name.
    """

    def __init__(self, base_model: Any) -> None:
        self.base_model = base_model
        self.peft_config: dict[str, AdapterConfig] = {}
        freeze(base_model)

    def __getattr__(self, name: str) -> Any:
        if name == "base_model" or name.startswith("__"):  # a copy that has no attributes yet
            raise AttributeError(name)
        return getattr(self.base_model, name)

    # -- calls ---------------------------------------------------------------------------------------------------

    def __call__(
        self, *args: Any, rng: Rng | None = None, adapter_names: Sequence[str] | None = None, **more: Any
    ) -> Any:
        """The model's own call; an `rng` makes dropout active, the adapters' too.

        adapter_names  an adapter for each row of the batch, "__base__" for none; the active ones where None.
        """
        with self.calling(rng, adapter_names):
            return self.base_model(*args, **({} if rng is None else {"rng": rng}), **more)

    def loss(self, batch: Any, *, rng: Rng | None = None, **more: Any) -> Tensor:
        """The model's own loss of a batch."""
        with self.calling(rng):
            return self.base_model.loss(batch, rng=rng, **more)

    @contextmanager
    def calling(self, rng: Rng | None = None, adapter_names: Sequence[str] | None = None) -> Iterator[None]:
        """Within this block the model below is called with this dropout and these adapters, one a row."""
        unknown = set(adapter_names or ()) - {*self.peft_config, BASE}
        if unknown:
            raise ArgumentError("adapter_names", f"names among {[*self.peft_config, BASE]}", sorted(unknown))
        with calling(rng, adapter_names, id(self) not in DISABLED.get()):
            yield

    @contextmanager
    def disable_adapter(self) -> Iterator[None]:
        """Within this block calls of this model are calls of the base alone."""
        token = DISABLED.set(DISABLED.get() | {id(self)})
        try:
            yield
        finally:
            DISABLED.reset(token)

    # -- adapters ------------------------------------------------------------------------------------------------

    @property
    def active_adapters(self) -> tuple[str, ...]:
        """The names of those that take part."""
        found = [name for layer in self.adapted().values() for name in layer.active_adapters]
        return tuple(dict.fromkeys(found))

    def adapted(self) -> dict[str, Adapted]:
        """The layers that have adapters, by the path that the layer itself has in a model without."""
        return {path: module for path, module in self.base_model.named_modules() if isinstance(module, Adapted)}

    def add_adapter(self, adapter_name: str, config: AdapterConfig, *, rng: np.random.Generator) -> None:
        """Stands a new adapter beside those that there are; `set_adapter` makes it active.

        Raises ArgumentError where no linear layer is meant, and for dropout within Experts, whose rows are no examples.
        """
        self.insert(adapter_name, config, self._new_adapters(config, rng))

    def _new_adapters(self, config: AdapterConfig, rng: np.random.Generator) -> dict[str, Adapter]:
        places = self._linear_layers()
        chosen = {path: layer for path, layer in places.items() if config.targets(path)}
        if not chosen:
            next_step = f"There are: {', '.join(places)[:200]}"
            raise ArgumentError("target_modules", "a pattern of some linear layer", config.target_modules, next_step)
        within = [path for path in chosen if config.dropout and self._is_within_experts(path)]
        if within:
            next_step = "Leave dropout out, or the experts."
            raise ArgumentError(
                "target_modules", "no layer of Experts, for an adapter with dropout", within[0], next_step
            )
        return {path: config.adapter(path, layer, rng=rng, dtype=self._dtype()) for path, layer in chosen.items()}

    def insert(self, adapter_name: str, config: AdapterConfig, adapters: Mapping[str, Adapter]) -> None:
        """Stands adapters that are made already beside the layers at these paths, frozen and not active.

        Raises ArgumentError for a name that is taken, or that has a dot in it.
        """
        if adapter_name in self.peft_config or adapter_name == BASE or not adapter_name or "." in adapter_name:
            taken = ", ".join([*self.peft_config, BASE])
            raise ArgumentError("adapter_name", f"a name without dots that is none of {taken}", repr(adapter_name))

        def beside(path: str, layer: Any) -> Adapted:
            layer = layer if isinstance(layer, Adapted) else Adapted(layer)
            adapter = adapters[path].to(self.base_model.device)
            for p in adapter.parameters():
                p.requires_grad = False
            layer.add(adapter_name, adapter)
            return layer

        self.base_model = replace(self.base_model, lambda path, _: path in adapters, beside)
        self.peft_config = {**self.peft_config, adapter_name: config}

    def set_adapter(self, adapter_name: str | Sequence[str]) -> None:
        """Makes these active and trained, all others neither.  Raises ArgumentError for a name that is not here."""
        names = [adapter_name] if isinstance(adapter_name, str) else list(adapter_name)
        self._check_name(*names)
        layers = self.adapted().values()
        for layer in layers:
            layer.among(names)  # it may raise, and then nothing has changed
        for layer in layers:
            layer.activate(names)

    def delete_adapter(self, adapter_name: str) -> None:
        """Lets go of one."""
        self._check_name(adapter_name)
        self.peft_config = {name: config for name, config in self.peft_config.items() if name != adapter_name}
        for layer in self.adapted().values():
            layer.remove(adapter_name)

    def save_pretrained(self, path: str | Path, adapter_name: str = DEFAULT) -> None:
        """Writes an adapter into the folder `path`, in peft's layout: adapter_config.json, adapter_model.safetensors.

        Raises CheckpointError for what peft does not have, StorageError where the disk refuses.
        """
        save_adapter(path, *self.peft_files(adapter_name))

    def peft_files(self, adapter_name: str = DEFAULT) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What `save_pretrained` writes: adapter_config.json's content, and the arrays."""
        self._check_name(adapter_name)
        adapters = {
            path: layer.adapters[adapter_name]
            for path, layer in self.adapted().items()
            if adapter_name in layer.adapters
        }
        return to_peft(self.unload(), self.peft_config[adapter_name], adapters)

    def load_adapter(self, path: str | Path, adapter_name: str) -> None:
        """Stands the adapter of a folder beside those that there are; `set_adapter` makes it active.

        Raises CheckpointError for a folder that is not whole, or of another model, or with what is not supported.
        """
        config, adapters = from_peft(self.unload(), *load_adapter(path), self._dtype())
        self.insert(adapter_name, config, adapters)

    @classmethod
    def from_pretrained(cls, model: Module, path: str | Path, adapter_name: str = DEFAULT) -> PeftModel:
        """The model with the adapter of a folder, active; see `get_peft_model`."""
        adapted = wrapped(model)
        adapted.load_adapter(path, adapter_name)
        adapted.set_adapter(adapter_name)
        return adapted

    def merge_adapter(self) -> None:
        """Adds the active adapters to the weights, in place: in the model that this one was made of, too."""
        for layer in self.adapted().values():
            layer.merge()

    def unmerge_adapter(self) -> None:
        """Gives the weights back that there were before, to the bit."""
        for layer in self.adapted().values():
            layer.unmerge()

    def merge_and_unload(self) -> Any:
        """A model of the base's own class that computes what this one does. Adapted layers have new weights there; all
        else is shared. All of it is frozen still: `unfreeze` it to train it further."""
        return replace(self.base_model, Adapted, lambda _, layer: layer.unloaded(merge=True))

    def unload(self) -> Any:
        """The base without adapters: a copy of the tree with all weights shared."""
        return replace(self.base_model, Adapted, lambda _, layer: layer.unloaded(merge=False))

    def _dtype(self) -> Any:
        """Of the base's own parameters."""
        return next((p.dtype for p in self.base_model.parameters()), np.dtype(np.float32))

    def _check_name(self, *names: str) -> None:
        if unknown := [name for name in names if name not in self.peft_config]:
            raise ArgumentError("adapter_name", f"one of {', '.join(self.peft_config)}", ", ".join(unknown))

    def _linear_layers(self) -> dict[str, Any]:
        """The base's linear layers by the paths that they have without adapters."""
        return {path: layer for path, layer in self.unload().named_modules() if linear_sizes(layer) is not None}

    def _is_within_experts(self, path: str) -> bool:
        return any(
            isinstance(module, Experts) and path.startswith(f"{above}.")
            for above, module in self.base_model.named_modules()
        )


class PeftModelForCausalLM(PeftModel, LanguageModel):
    """A language model with adapters, which is one itself: it is trained, sampled from and measured as any other."""

    def __init__(self, base_model: LanguageModel) -> None:
        super().__init__(base_model)
        self.vocab_size, self.block_size = base_model.vocab_size, base_model.block_size

    def hidden(
        self,
        tokens: Any,
        *,
        mask: Any = None,
        positions: Any = None,
        cache: Any = None,
        rng: Rng | None = None,
        dtype: Any = None,
        adapter_names: Sequence[str] | None = None,
        **more: Any,
    ) -> Tensor:
        """See LanguageModel.

        adapter_names  an adapter for each row of the batch, "__base__" for none; the active ones where None.
        """
        with self.calling(rng, adapter_names):
            if adapter_names is not None:
                self.base_model.head()  # it raises where the head has an adapter
            return self.base_model.hidden(
                tokens, mask=mask, positions=positions, cache=cache, rng=rng, dtype=dtype, **more
            )

    def head(self) -> tuple[Tensor, Tensor | None]:
        """See LanguageModel."""
        with self.calling():
            return self.base_model.head()

    def new_cache(self, batch: int, capacity: int = 64) -> Cache:
        """See LanguageModel."""
        return self.base_model.new_cache(batch, capacity)


def get_peft_model(
    model: Module, config: AdapterConfig, adapter_name: str = DEFAULT, *, rng: np.random.Generator
) -> PeftModel:
    """The model with a new adapter, active, and all else frozen.

    The layers that get one are replaced in a copy of the tree. The model's parameters are the copy's, so that they are
    frozen in both: `unfreeze(model)` undoes that.
    """
    adapted = wrapped(model)
    adapted.add_adapter(adapter_name, config, rng=rng)
    adapted.set_adapter(adapter_name)
    return adapted


def wrapped(model: Module) -> PeftModel:
    """The model, frozen and without adapters yet."""
    return PeftModelForCausalLM(model) if isinstance(model, LanguageModel) else PeftModel(model)
