"""A run: steps, evaluations, checkpoints, a log. It can be stopped at any moment and go on as if it had not been."""

from __future__ import annotations

import contextlib
import json
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from tinygrad_llm.autograd import Tensor, no_grad
from tinygrad_llm.backend import blas_threads, check_device, keep_freed_pages, tf32_products, to_device
from tinygrad_llm.backend.cuda import free_unused
from tinygrad_llm.backend.stream import own_stream
from tinygrad_llm.errors import CheckpointError, ConfigError, DeviceError, NonFiniteError, StorageError, reason
from tinygrad_llm.models.hugging_face import to_hugging_face
from tinygrad_llm.optim import AdamW, schedule
from tinygrad_llm.train.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from tinygrad_llm.train.data import fingerprint, is_of, text_places
from tinygrad_llm.train.device_step import DeviceStep, GraphedStep
from tinygrad_llm.train.lock import has_run, locked, newest
from tinygrad_llm.train.log import Log
from tinygrad_llm.train.precision import activations, check_precision
from tinygrad_llm.train.step import (
    Batch,
    EagerStep,
    Loss,
    Step,
    StepResult,
    ThreadedStep,
    count_targets,
    couples_examples,
    examples,
    parts_of,
)  # fmt: skip

MOST_WAITING = 16
"""Steps on a GPU that nobody has waited for, at most: each keeps its batches in pinned memory."""


SIGPIPE = 13
"""What a shell calls it where nobody reads the output any more; Windows has no name for it."""
STOPPING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interrupted(KeyboardInterrupt):
    """A stop was asked for (the signal `number`); the step was finished and everything saved first."""

    def __init__(self, number: int = signal.SIGINT) -> None:
        super().__init__(number)
        self.number = int(number)


Contents = tuple[dict[str, dict[str, Any]], dict[str, dict[str, np.ndarray]]]
"""Of a checkpoint: documents by name, and groups of arrays by name."""


class Judgement(NamedTuple):
    """What is known of a model on held-out data.

    loss   the number by which the best checkpoint is chosen: the lower, the better.
    more   other numbers for the log, by name.
    words  a line that says both.
    """

    loss: float
    more: Mapping[str, float]
    words: str


def whole_model(model: Any) -> Contents:
    """config.json and model.safetensors in Hugging Face's layout."""
    config, arrays = to_hugging_face(model)
    return {"config": config}, {"model": arrays}


class Trainer:
    """Trains a model on the batches of a corpus. `run.start_run` and `run.resume_run` make one for a configuration.

    loss      of a batch; where None the model's own, of "tokens" and "targets", and its cross-entropy on held-out text.
    divisor   of the batches of a step together; where None how many targets count.
    judge     what is known on held-out data, see `Judgement`; where None the loss there, in nats a token.
    out       the folder that then holds log.jsonl, config.json, checkpoint/last and checkpoint/best.
    threads   workers that share a batch.
    contents  what a checkpoint holds of the model: documents and groups of arrays, by name.

    config and corpus may be others than those of `tgl train`, where they have what is asked of them here: the fields of
    TrainConfig that a run needs, and of Corpus all but val_bytes.
    """

    def __init__(
        self,
        config: Any,
        corpus: Any,
        model: Any,
        out: Path | None,
        threads: int,
        loss: Loss | None = None,
        contents: Callable[[Any], Contents] | None = None,
        divisor: Callable[[Sequence[Any]], float] | None = None,
        judge: Callable[[], Judgement] | None = None,
    ) -> None:
        self.config, self.corpus, self.threads = config, corpus, threads
        self.contents = whole_model if contents is None else contents
        self.loss: Loss = model.loss if loss is None else loss
        self.divisor, self.judge = divisor or count_targets, judge or self._judge
        self.device = check_device(config.device)
        check_precision(config.precision, self.device, config.dtype)
        self.model = model.to(self.device)
        self.step_number, self.best = 0, math.inf
        if config.keep_pages:
            keep_freed_pages(threads)
        self.optimizer = AdamW(
            model.named_parameters(), config.lr, (config.beta1, config.beta2), weight_decay=config.weight_decay
        )
        self.batches = corpus.batches(config)
        self.lr_at = schedule(config.schedule, config.lr, config.steps, config.warmup, config.final_lr)
        self.move_to(Path() if out is None else out)
        self.found: Path | None = None
        self.sequence = self.stop_asked = 0

    def move_to(self, out: Path) -> None:
        """Takes another folder, before the run begins."""
        self.out, self.log = out, Log(out / "log.jsonl")

    def restore(self, saved: Checkpoint) -> None:
        """Goes on where a checkpoint stopped: step, best loss, optimizer state.

        Raises CheckpointError where the corpus is another one.
        """
        state = saved.documents["state"]
        self.found, self.sequence = newest(self.out), saved.sequence
        self.step_number, self.best = state["step"], math.inf if state["best"] is None else state["best"]
        self.optimizer.load_state_dict(saved.arrays["optimizer"], state["step"])
        if not is_of(self.corpus, state["corpus"]):
            raise CheckpointError(
                "text", f"the corpus of the run, {state['corpus']}", fingerprint(self.corpus), "Was the text changed?"
            )

    def run(self, progress: bool = True, report: Callable[[str], None] = tqdm.write) -> float:
        """Trains to the last step; returns the best held-out loss in nats a token.

        Raises Interrupted after Ctrl-C, a signal to end, or an output that nobody reads any more; NonFiniteError for a
        loss or gradient that is not finite. All leave a whole checkpoint and the way to go on. ConfigError where
        another process writes to the folder, or has done so since this run was read.
        """
        self.stop_asked = 0
        with locked(self.out), self._stopping_signals(), own_stream(self.device):
            self._check_untouched()
            self._begin()
            bar = tqdm(
                total=self.config.steps, initial=self.step_number, unit="step", disable=None if progress else True,
                dynamic_ncols=True,
            )  # fmt: skip
            try:
                self._steps(bar, self._heard(report))
            finally:
                with contextlib.suppress(OSError):
                    bar.close()
                if hasattr(self, "step"):
                    self.step.close()
        return self.best

    def _begin(self) -> None:
        """The folder's first files: whatever happens from now on, there is something to go on from."""
        event = "start" if self.found is None else "resume"
        if self.found is None:
            self.save("last")
        self._write_config()
        parameters = self.model.n_parameters()
        self.log.write(event, step=self.step_number, threads=self.threads, parameters=parameters)
        self.known_at, self.known_step = time.perf_counter(), self.step_number

    def _steps(self, bar: tqdm, report: Callable[[str], None]) -> None:
        """All that are left."""
        self.step: Step = self.make_step(report)
        if not self.step_number:
            self._evaluate(report)
        while self.step_number < self.config.steps:
            self._one_step(bar)
            self._after_step(report)
        self.log.write("end", step=self.step_number, best_val_loss=self.best)

    def _check_untouched(self) -> None:
        """Nothing that is saved is overwritten: the folder is as it was when this run was read, or empty of runs."""
        if self.found is None and has_run(self.out):
            next_step = "Go on with --resume, or choose another --out."
            raise ConfigError("out", "a folder without a run", str(self.out), next_step)
        if self.found is not None and (
            self.found != newest(self.out) or load_checkpoint(self.found).sequence != self.sequence
        ):
            next_step = "Another process has gone on with it. Call --resume again."
            raise ConfigError(str(self.out), f"the run as it was at step {self.step_number}", "a later one", next_step)

    def _heard(self, report: Callable[[str], None]) -> Callable[[str], None]:
        """`report`, but where its output is gone or full that asks for a stop: first comes what must be saved."""

        def say(line: str) -> None:
            try:
                report(line)
            except BrokenPipeError:
                self.stop_asked = SIGPIPE
            except OSError:
                self.stop_asked = signal.SIGTERM

        return say

    def _one_step(self, bar: tqdm) -> None:
        c, number = self.config, self.step_number
        batches = [self.batches[number * c.accumulate + i] for i in range(c.accumulate)]
        lr = self.lr_at(number + 1)
        try:
            result = self.step(batches, number, lr, self.divisor(batches))
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
        self._heard(lambda line: bar.update())("")

    def _too_large(self, error: MemoryError) -> DeviceError:
        """What to lower where the memory does not hold a step; what was saved is untouched."""
        c = self.config
        next_step = (
            f"Halve --batch-size ({c.batch_size}) and double --accumulate ({c.accumulate}): the same step in half the "
            f"memory. Or {c.smaller}"
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
        rate = done * c.batch_size * c.accumulate * self.batches.row_tokens / (now - self.known_at)
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
            raise Interrupted(self.stop_asked)

    def _evaluate(self, report: Callable[[str], None]) -> None:
        found = self.judge()
        improved = found.loss < self.best
        self.best = min(self.best, found.loss)
        self.log.write("eval", step=self.step_number, val_loss=found.loss, **found.more)
        if improved and self.step_number:
            self.save("best")
        report(f"step {self.step_number:6d}   {found.words}")

    def _judge(self) -> Judgement:
        loss = self.evaluate()
        bits = loss * self.corpus.nats_to_bits_per_byte
        words = f"held-out loss {loss:.4f} nats a token, {bits:.3f} bits a byte"
        return Judgement(loss, {"val_bits_per_byte": bits}, words)

    def evaluate(self) -> float:
        """The mean loss on the held-out text, in nats a token, without dropout."""
        source = self.corpus.held_out(self.config)
        count = count_targets(source)

        # of what training adds to the cross-entropy nothing: it predicts no text
        own = self.loss == self.model.loss and couples_examples(self.loss)
        loss = self.model.cross_entropy if own else self.loss
        if self.device == "cuda":
            whole = not own and couples_examples(loss)
            return self._evaluate_on_gpu(loss, source, count, whole)

        def part(i: int) -> float:
            with no_grad():
                mine = source[i :: self.threads]
                return sum(loss(batch, divisor=count).item() for batch in mine)

        workers = getattr(getattr(self, "step", None), "workers", None)
        if workers:
            return sum(workers.run(part))
        with blas_threads():
            return sum(part(i) for i in range(self.threads))

    def _evaluate_on_gpu(self, loss: Loss, source: Sequence[Batch], count: int, whole: bool) -> float:
        """The same in the run's precision, with no more examples at once than a step has, unless a batch has to stay
        `whole`; one number is waited for, at the end. A recorded step keeps its memory meanwhile, so what was taken
        beside it is given back."""
        precision, total = self.config.precision, Tensor(0.0).to("cuda")
        with no_grad(), tf32_products(precision == "tf32"):
            for batch in source:
                for part in parts_of(batch, examples(batch) if whole else self.config.batch_size):
                    total = total + loss(part, divisor=count, dtype=activations(precision)).astype("float32")
        mean = float(total)
        if self.config.graph:
            free_unused()
        return mean

    def save(self, name: str) -> None:
        """Writes checkpoint/`name`: the model's contents, and all that resuming needs."""
        described, arrays = self.contents(self.model)
        state = {
            "step": self.step_number,
            "best": None if math.isinf(self.best) else self.best,
            "threads": self.threads,
            "corpus": fingerprint(self.corpus),
            "text_at": text_places(self.config.text, self.out),
        }
        documents = {
            **described,
            "run": {"config": self.config.to_dict()},
            "state": state,
            "tgl_tokenizer": self.corpus.tokenizer.to_dict(),
        }
        moments = {name: to_device(array, "cpu") for name, array in self.optimizer.state_dict().items()}
        sequence = save_checkpoint(self.out / "checkpoint" / name, {**arrays, "optimizer": moments}, documents)
        if name == "last":
            self.found, self.sequence = self.out / "checkpoint" / name, sequence

    def make_step(self, report: Callable[[str], None]) -> Step:
        """The kind of step that the device and the number of threads ask for."""
        c = self.config
        if self.device == "cuda":
            options: dict[str, Any] = {
                "clip": c.clip,
                "seed": c.seed,
                "precision": c.precision,
                "every": min(c.log_every, MOST_WAITING),
            }
            if c.graph:
                return GraphedStep(self.loss, self.optimizer, report=report, **options)
            return DeviceStep(self.loss, self.optimizer, **options)
        if self.threads == 1:
            return EagerStep(self.loss, self.optimizer, clip=c.clip, seed=c.seed)
        return ThreadedStep(self.loss, self.optimizer, threads=self.threads, clip=c.clip, seed=c.seed)

    def _write_config(self) -> None:
        try:
            self.out.mkdir(parents=True, exist_ok=True)
            (self.out / "config.json").write_text(json.dumps(self.config.to_dict(), indent=1), encoding="utf-8")
        except OSError as error:
            next_step = "Choose another --out."
            raise StorageError(str(self.out), "a folder that can be written", reason(error), next_step) from error

    @contextlib.contextmanager
    def _stopping_signals(self) -> Iterator[None]:
        """Ctrl-C, a call to end and a closed terminal ask for a stop after the step; a second one stops at once.

        Only the main thread can be asked. A signal that was ignored before, as by nohup, stays so.
        """
        before: dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():
            for number in STOPPING:
                if number == signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN:
                    before[number] = signal.signal(number, self._ask_to_stop)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _ask_to_stop(self, signum: int, frame: Any) -> None:
        if self.stop_asked:
            raise KeyboardInterrupt
        self.stop_asked = signum
