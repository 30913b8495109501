"""A run: steps, evaluations, checkpoints, a log. It can be stopped at any moment and go on as if it had not been."""

from __future__ import annotations

import json
import math
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from tinygrad_llm.autograd import Tensor, no_grad
from tinygrad_llm.backend import check_device, keep_freed_pages, tf32_products, to_device
from tinygrad_llm.backend.stream import own_stream
from tinygrad_llm.datasets.batches import Batches, sequential
from tinygrad_llm.errors import CheckpointError, ConfigError, DeviceError, NonFiniteError, StorageError
from tinygrad_llm.models.gpt import GPT
from tinygrad_llm.models.pretrained import from_hugging_face, to_hugging_face
from tinygrad_llm.optim import AdamW, schedule
from tinygrad_llm.tokenizer import tokenizer_from_dict
from tinygrad_llm.train.checkpoint import Checkpoint, exists, load_checkpoint, save_checkpoint
from tinygrad_llm.train.config import FREE_TO_CHANGE, TrainConfig, config_from_dict
from tinygrad_llm.train.data import Corpus, load_corpus
from tinygrad_llm.train.device_step import DeviceStep, GraphedStep
from tinygrad_llm.train.log import Log
from tinygrad_llm.train.precision import activations, check_precision
from tinygrad_llm.train.step import Batch, EagerStep, Step, StepResult, ThreadedStep
from tinygrad_llm.train.workers import worker_count

MOST_WAITING = 16
"""Steps on a GPU that nobody has waited for, at most: each keeps its batches in pinned memory."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C: the step was finished and everything saved before this was raised."""


class Trainer:
    """Trains `model` on `corpus` from `step` on. Make one with `Trainer.start` or `Trainer.resume`.

    `out` then holds log.jsonl, config.json, checkpoint/last and checkpoint/best.
    """

    def __init__(self, config: TrainConfig, corpus: Corpus, model: GPT, out: Path, threads: int) -> None:
        self.config, self.corpus, self.out, self.threads = config, corpus, out, threads
        self.device = check_device(config.device)
        check_precision(config.precision, self.device, config.dtype)
        self.model = model.to(self.device)
        self.step_number, self.best = 0, math.inf
        if config.keep_pages:
            keep_freed_pages(threads)
        self.optimizer = AdamW(
            model.parameters(), config.lr, (config.beta1, config.beta2), weight_decay=config.weight_decay
        )
        self.batches = Batches(
            corpus.train, block_size=config.block_size, batch_size=config.batch_size, seed=config.seed
        )
        self.lr_at = schedule(config.schedule, config.lr, config.steps, config.warmup, config.final_lr)
        self.log = Log(out / "log.jsonl")
        self.stop_asked = False

    @classmethod
    def start(cls, config: TrainConfig, out: Path) -> Trainer:
        """A fresh run.  Raises ConfigError where `out` holds one already: nothing saved is ever overwritten."""
        check_precision(config.precision, check_device(config.device), config.dtype)
        if exists(out / "checkpoint" / "last"):
            raise ConfigError(
                "out", "a folder without a run", str(out), "Go on with --resume, or choose another --out."
            )
        corpus = load_corpus(config)
        model = GPT(
            config.model(corpus.tokenizer.vocab_size),
            rng=np.random.default_rng(config.seed),
            dtype=np.dtype(config.dtype),
        )
        return cls(config, corpus, model, out, worker_count(config.threads, config.batch_size))

    @classmethod
    def resume(cls, out: Path, given: dict[str, Any]) -> Trainer:
        """Goes on from checkpoint/last; `given` are the flags of this call.

        Raises CheckpointError where there is nothing to go on from, ConfigError where a flag would make it another run.
        """
        saved = load_checkpoint(out / "checkpoint" / "last")
        config = config_from_dict(saved.documents["run"]["config"])
        changed = {k: v for k, v in given.items() if getattr(config, k) != v and k not in FREE_TO_CHANGE}
        if changed:
            was = {k: getattr(config, k) for k in changed}
            raise ConfigError(
                "--resume", f"the run's own {was}", changed, "Leave these flags out, or start a new --out."
            )
        state = saved.documents["state"]
        config = replace(config, **{k: v for k, v in given.items() if k in FREE_TO_CHANGE})
        corpus = load_corpus(config, tokenizer_from_dict(saved.documents["tokenizer"]))
        # "auto" stays what it was: resuming is bit-identical only with the same number of threads
        threads = state["threads"] if config.threads == "auto" else worker_count(config.threads, config.batch_size)
        trainer = cls(config, corpus, model_of(saved), out, threads)
        trainer._restore(saved)
        return trainer

    def _restore(self, saved: Checkpoint) -> None:
        state = saved.documents["state"]
        self.step_number, self.best = state["step"], math.inf if state["best"] is None else state["best"]
        self.optimizer.load_state_dict(saved.arrays["optimizer"], state["step"])
        if state["corpus"] != self._fingerprint():
            raise CheckpointError(
                "text", f"the corpus of the run, {state['corpus']}", self._fingerprint(), "Was the text changed?"
            )

    def run(self, progress: bool = True, report: Callable[[str], None] = tqdm.write) -> float:
        """Trains to the last step; returns the best held-out loss in nats a token.

        Raises Interrupted after Ctrl-C, NonFiniteError for a loss or gradient that is not finite; both leave a whole
        checkpoint and the way to go on.
        """
        self._write_config()
        previous = self._catch_interrupts()
        first = self.step_number
        self.log.write(
            "start" if not first else "resume", step=first, threads=self.threads, parameters=self.model.n_parameters()
        )
        bar = tqdm(
            total=self.config.steps, initial=first, unit="step", disable=None if progress else True, dynamic_ncols=True
        )
        self.known_at, self.known_step = time.perf_counter(), first
        try:
            with own_stream(self.device):
                self.step: Step = self._make_step(report)
                if not first:
                    self._evaluate(report)
                while self.step_number < self.config.steps:
                    self._one_step(bar)
                    self._after_step(report)
        finally:
            bar.close()
            if hasattr(self, "step"):
                self.step.close()
            if previous is not None:
                signal.signal(signal.SIGINT, previous)
        self.log.write("end", step=self.step_number, best_val_loss=self.best)
        return self.best

    def _one_step(self, bar: tqdm) -> None:
        c, number = self.config, self.step_number
        batches = [self.batches[number * c.accumulate + i] for i in range(c.accumulate)]
        lr = self.lr_at(number + 1)
        try:
            result = self.step(batches, number, lr)
            if result is None and (self.stop_asked or self._is_due(number + 1)):
                result = self.step.read()
        except NonFiniteError as error:
            self.log.write("stopped", step=number, reason=str(error))
            raise
        except MemoryError as error:
            raise self._too_large(error) from error
        self.step_number += 1
        if result is not None:
            self._report_step(bar, result, lr)
        bar.update()

    def _too_large(self, error: MemoryError) -> DeviceError:
        """What to lower where the memory does not hold a step; what was saved is untouched."""
        c = self.config
        next_step = (
            f"Halve --batch-size ({c.batch_size}) and double --accumulate ({c.accumulate}): the same step in half the "
            f"memory. Or lower --block-size ({c.block_size}) or --n-layer ({c.n_layer})"
        )
        next_step += "; --precision bf16 needs about half." if self.device == "cuda" and c.precision != "bf16" else "."
        return DeviceError(f"memory of {self.device}", "room for a step", f"too little ({error})", next_step)

    def _is_due(self, step: int) -> bool:
        """Whether something after this step needs its result, or its parameters."""
        c = self.config
        return step == c.steps or any(step % every == 0 for every in (c.log_every, c.eval_every, c.checkpoint_every))

    def _report_step(self, bar: tqdm, result: StepResult, lr: float) -> None:
        """The log and the bar learn of a result; the rate is over all steps since the last one that was known."""
        c, now = self.config, time.perf_counter()
        done = self.step_number - self.known_step
        rate = done * c.batch_size * c.accumulate * c.block_size / (now - self.known_at)
        self.known_at, self.known_step = now, self.step_number
        if self.step_number % c.log_every == 0 or self.step_number == c.steps:
            values = {"loss": result.loss, "grad_norm": result.grad_norm, "lr": lr, "tokens_per_s": round(rate)}
            self.log.write("step", step=self.step_number, **values)
        bar.set_postfix_str(f"loss {result.loss:.3f}, {rate / 1000:.1f}k tokens/s", refresh=False)

    def _after_step(self, report: Callable[[str], None]) -> None:
        c = self.config
        last = self.step_number == c.steps
        if last or self.step_number % c.eval_every == 0:
            self._evaluate(report)
        if last or self.stop_asked or self.step_number % c.checkpoint_every == 0:
            self.save("last")
        if self.stop_asked and not last:
            self.log.write("interrupted", step=self.step_number)
            raise Interrupted

    def _evaluate(self, report: Callable[[str], None]) -> None:
        loss = self.evaluate()
        bits = loss * self.corpus.nats_to_bits_per_byte
        improved = loss < self.best
        self.best = min(self.best, loss)
        self.log.write("eval", step=self.step_number, val_loss=loss, val_bits_per_byte=bits)
        if improved and self.step_number:
            self.save("best")
        report(f"step {self.step_number:6d}   held-out loss {loss:.4f} nats a token, {bits:.3f} bits a byte")

    def evaluate(self) -> float:
        """The mean loss on the held-out text, in nats a token, without dropout."""
        c = self.config
        source = list(sequential(self.corpus.val, c.block_size, 4 * c.batch_size, c.eval_batches or None))
        count = sum(targets.size for _, targets in source)

        if self.device == "cuda":
            return self._evaluate_on_gpu(source, count)

        def part(i: int) -> float:
            with no_grad():
                mine = source[i :: self.threads]
                return sum(self.model.loss(x, y, divisor=count).item() for x, y in mine)

        workers = getattr(getattr(self, "step", None), "workers", None)
        return sum(workers.run(part)) if workers else sum(part(i) for i in range(self.threads))

    def _evaluate_on_gpu(self, source: Sequence[Batch], count: int) -> float:
        """The same in the run's precision; one number is waited for, at the end."""
        precision, total = self.config.precision, Tensor(0.0).to("cuda")
        with no_grad(), tf32_products(precision == "tf32"):
            for x, y in source:
                total = total + self.model.loss(x, y, divisor=count, dtype=activations(precision)).astype("float32")
        return float(total)

    def save(self, name: str) -> None:
        """Writes checkpoint/`name`: weights and config.json in Hugging Face's layout, and all that resuming needs."""
        hf_config, arrays = to_hugging_face(self.model)
        state = {
            "step": self.step_number,
            "best": None if math.isinf(self.best) else self.best,
            "threads": self.threads,
            "corpus": self._fingerprint(),
        }
        documents = {
            "config": hf_config,
            "run": {"config": self.config.to_dict()},
            "state": state,
            "tokenizer": self.corpus.tokenizer.to_dict(),
        }
        moments = {name: to_device(array, "cpu") for name, array in self.optimizer.state_dict().items()}
        weights = {"model": arrays, "optimizer": moments}
        save_checkpoint(self.out / "checkpoint" / name, weights, documents)

    def _fingerprint(self) -> dict[str, int]:
        """Enough to notice that the text is another one."""
        place = np.arange(1, len(self.corpus.train) + 1, dtype=np.uint64)
        mixed = int((place * (self.corpus.train.astype(np.uint64) + 1)).sum() & 0xFFFFFFFF)
        return {"train_tokens": len(self.corpus.train), "val_tokens": len(self.corpus.val), "checksum": mixed}

    def _make_step(self, report: Callable[[str], None]) -> Step:
        c = self.config
        if self.device == "cuda":
            options: dict[str, Any] = {
                "clip": c.clip,
                "seed": c.seed,
                "precision": c.precision,
                "every": min(c.log_every, MOST_WAITING),
            }
            if c.graph:
                return GraphedStep(self.model, self.optimizer, report=report, **options)
            return DeviceStep(self.model, self.optimizer, **options)
        if self.threads == 1:
            return EagerStep(self.model, self.optimizer, clip=c.clip, seed=c.seed)
        return ThreadedStep(self.model, self.optimizer, threads=self.threads, clip=c.clip, seed=c.seed)

    def _write_config(self) -> None:
        try:
            self.out.mkdir(parents=True, exist_ok=True)
            (self.out / "config.json").write_text(json.dumps(self.config.to_dict(), indent=1), encoding="utf-8")
        except OSError as error:
            next_step = "Choose another --out."
            raise StorageError(str(self.out), "a folder that can be written", error.strerror, next_step) from error

    def _catch_interrupts(self) -> Any:
        """Ctrl-C asks for a stop after the step; a second one stops at once. Only the main thread can be asked."""
        if threading.current_thread() is not threading.main_thread():
            return None

        def ask(signum: int, frame: Any) -> None:
            if self.stop_asked:
                raise KeyboardInterrupt
            self.stop_asked = True

        return signal.signal(signal.SIGINT, ask)


def model_of(saved: Checkpoint) -> GPT:
    """The model in a checkpoint of a run, with the precision and the biases that the run has."""
    config = config_from_dict(saved.documents["run"]["config"])
    arrays = saved.arrays["model"]
    vocab_size = len(arrays["transformer.wte.weight"])
    return from_hugging_face(config.model(vocab_size), arrays, np.dtype(config.dtype))
