"""The parts of `benchmarks.gpu`: each prints its table as it comes, and tells its numbers as it finds them."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import gpu_decode, gpu_memory, gpu_report, gpu_steps
from benchmarks.gpu_clock import copy_rates, effort, gpu_ms, matrix_rates, product_rate
from benchmarks.gpu_kernels import SHAPES, SMALL, TARGET, attention_ms, kernel_rows, sdpa_ms
from benchmarks.gpu_setting import Setting, complain, has_torch, rounded
from tinygrad_llm.backend import cublas
from tinygrad_llm.backend.cuda import describe_gpu, load_cupy
from tinygrad_llm.backend.stream import own_stream

WANTED_LOSS = 1.47
"""nanoGPT's README: the best held-out loss of its character preset, in nats a character."""
PRODUCTS = {  # (rows, inputs, outputs, whether it is what goes back)
    "GPT-2, queries, keys, values": (16384, 768, 2304, False),
    "GPT-2, widened": (16384, 768, 3072, False),
    "GPT-2, narrowed": (16384, 3072, 768, False),
    "GPT-2, logits of 50257": (16384, 768, 50257, False),
    "GPT-2, logits of 50304": (16384, 768, 50304, False),
    "GPT-2, back from 50257": (16384, 768, 50257, True),
    "GPT-2, back from 50304": (16384, 768, 50304, True),
    "nanoGPT, queries, keys, values": (16384, 384, 1152, False),
    "nanoGPT, widened": (16384, 384, 1536, False),
    "nanoGPT, logits of 65": (16384, 384, 65, False),
}


# ---- the machine ----------------------------------------------------------------------------------------------------


def machine(setting: Setting) -> None:
    """What is measured here."""
    cupy = load_cupy()
    name = cupy.cuda.runtime.getDeviceProperties(cupy.cuda.Device().id)["name"]
    found = {
        "name": name.decode() if isinstance(name, bytes) else name,
        "gpu": describe_gpu(),
        "driver": nvidia_smi(),
        "python": sys.version.split()[0],
        "numpy": np.__version__,
        "cupy": cupy.__version__,
        "torch": None,
    }
    setting.tell(**found)
    if find_spec("torch") is not None and not setting.smoke:
        import torch

        found["torch"] = f"{torch.__version__}, CUDA {'there' if torch.cuda.is_available() else 'not there'}"
        setting.tell(**found)
    for key, value in found.items():
        print(f"{key:8} {value}")


def nvidia_smi() -> str | None:
    """The driver's version and the clocks as they are now."""
    query = ["nvidia-smi", "--query-gpu=driver_version,clocks.sm,clocks.mem,power.limit", "--format=csv,noheader"]
    try:
        return subprocess.run(query, capture_output=True, text=True, timeout=20).stdout.strip() or None
    except (OSError, subprocess.SubprocessError):
        return None


def ceilings(setting: Setting) -> None:
    """The two numbers that all others are held against, and products of the models' own sizes."""
    how = effort(setting.smoke)
    copies = copy_rates(how)
    setting.tell(copy=rounded(copies))
    for size, rate in copies.items():
        print(f"copy of {size:>4} MB {rate:8.0f} GB/s, read and written")
    rates = matrix_rates(how)
    setting.tell(copy=rounded(copies), product=rounded(rates))
    for precision, rate in rates.items():
        print(f"product, {precision}   {rate:8.1f} TFLOP/s")
    found: dict[str, float] = {}
    loose: dict[str, float] = {}
    for name, (n, i, o, back) in PRODUCTS.items():
        try:
            sizes = (8, 16, 24) if setting.smoke else (n, i, o)
            found[name] = product_rate(*sizes, "bf16", how, back)
            with sums_in_bfloat16():
                loose[name] = product_rate(*sizes, "bf16", how, back)
            share = f"{found[name] / rates['bf16']:7.0%}, with sums in bfloat16 {loose[name]:8.1f}"
            print(f"{name:34}{found[name]:8.1f} TFLOP/s {share}", flush=True)
        except Exception as error:
            complain(name, error)
    setting.tell(products_bf16=rounded(found), products_bf16_sums_in_bfloat16=rounded(loose))


@contextmanager
def sums_in_bfloat16() -> Iterator[None]:
    """What cuBLAS would do by itself: the parts of a split product are added in bfloat16."""
    handle = cublas.handle()
    handle.sums_in_float32(False)
    try:
        yield
    finally:
        handle.sums_in_float32(True)


# ---- kernels --------------------------------------------------------------------------------------------------------


def kernels(setting: Setting) -> None:
    """Each kernel that goes over memory: GB/s, and its share of a copy's."""
    how, rows = effort(setting.smoke), []
    print(f"{'kernel':62}{'dtype':>10}{'size':>8}{'ms':>9}{'GB/s':>8}{'of copy':>9}")
    for dtype, size, (name, task, moved) in kernel_rows(how, setting.smoke):
        try:
            ms = gpu_ms(task, how)
        except Exception as error:
            complain(f"{name} {dtype}", error)
            rows.append({"kernel": name, "dtype": dtype, "size": size, "error": str(error)})
            continue
        rate = moved / ms / 1e6
        share = rate / setting.copy_gbs(int(size.split()[0]))
        mark = "  below target" if share < TARGET and name.split()[0] != "copy" else ""
        print(f"{name:62}{dtype:>10}{size:>8}{ms:9.4f}{rate:8.0f}{share:9.0%}{mark}", flush=True)
        rows.append({"kernel": name, "dtype": dtype, "size": size, "ms": ms, "gbs": rate, "share": share})
        setting.tell(rows=rounded(rows))
    shares = [row["share"] for row in rows if "share" in row and row["share"] == row["share"]]
    if shares:
        reached = sum(share >= TARGET for share in shares)
        print(f"{reached} of {len(rows)} reach {TARGET:.0%} of the copy; the median is {statistics.median(shares):.0%}")


def attention(setting: Setting) -> None:
    """TFLOP/s, forward and backward; causal, so that half of the scores count."""
    how, rows, torch_too = effort(setting.smoke), [], not setting.smoke and has_torch()
    print(f"{'attention':40}{'dtype':>10}{'forward':>16}{'backward':>16}{'share':>12}{'PyTorch ms':>16}")
    for name, shape in (SMALL if setting.smoke else SHAPES).items():
        for dtype in ("float32", "bfloat16"):
            try:
                row = {"shape": name, "dtype": dtype} | attention_ms(shape, dtype, how)
            except Exception as error:
                complain(f"{name} {dtype}", error)
                rows.append({"shape": name, "dtype": dtype, "error": str(error)})
                continue
            if torch_too and dtype == "bfloat16":
                try:
                    row |= sdpa_ms(shape, how)
                except Exception as error:
                    complain(f"{name}, PyTorch", error)
            rows.append(row)
            best = setting.tflops("bf16" if dtype == "bfloat16" else "fp32")
            both = " / ".join(f"{row[f'{way}_tflops'] / best:.0%}" for way in ("forward", "backward"))
            beside = " / ".join(
                f"{row[f'torch_{way}_ms']:.2f}" for way in ("forward", "backward") if f"torch_{way}_ms" in row
            )
            times = "".join(
                f"{row[f'{way}_ms']:7.3f} ms {row[f'{way}_tflops']:4.0f} T" for way in ("forward", "backward")
            )
            print(f"{name:40}{dtype:>10}{times}{both:>12}{beside:>16}", flush=True)
            setting.tell(rows=rounded(rows))


# ---- models ---------------------------------------------------------------------------------------------------------


def nanogpt(setting: Setting) -> None:
    """nanoGPT's character preset."""
    model_steps(setting, replace(gpu_steps.SMALL, name="small, as nanoGPT") if setting.smoke else gpu_steps.NANOGPT)


def gpt2(setting: Setting) -> None:
    """GPT-2 124M."""
    model_steps(setting, replace(gpu_steps.SMALL, name="small, as GPT-2") if setting.smoke else gpu_steps.GPT2)


def model_steps(setting: Setting, run: gpu_steps.Run) -> None:
    """Ours alone in three precisions, eager and graphed, beside the floor; then the best in turns with PyTorch."""
    model, weights = gpu_steps.make_model(run)
    source, found = gpu_steps.batches(run), {}
    parameters = model.n_parameters()
    print(f"{run.name}: {parameters / 1e6:.1f}M parameters, {run.batch} x {run.config['block_size']} tokens, no biases")
    print(f"{'':34}{'ms':>9}{'host ms':>9}{'tokens/s':>12}{'held GB':>9}{'floor ms':>10}{'of floor':>10}{'loss':>9}")
    with own_stream("cuda"):
        for precision in ("bf16", "tf32", "fp32"):
            best = setting.copy_gbs(1 << 20), setting.tflops(precision)
            floor = gpu_steps.floor_ms(run, parameters, precision, *best)
            for graph in (False, True):
                label = f"ours, {precision}, {'graph' if graph else 'eager'}"
                try:
                    row = gpu_steps.alone(run, model, weights, source, precision, graph) | {"floor_ms": floor}
                except Exception as error:
                    complain(label, error)
                    row = {"error": f"{type(error).__name__}: {error}"}
                found[label] = rounded(row)
                show(label, row, floor)
                setting.tell(tokens=run.tokens, parameters=parameters, alone=found)
        if setting.smoke:
            print("PyTorch: not in a smoke run")
        elif not has_torch():
            print("PyTorch: not here, or without CUDA")
        else:
            beside_torch(setting, run, model, weights, source)


def show(label: str, row: dict, floor: float = float("nan")) -> None:
    """One line of the table."""
    if "error" not in row:
        values = f"{row['ms']:9.2f}{row['host_ms']:9.2f}{row['tokens_per_s']:12.0f}{row['held_gb']:9.2f}"
        print(f"{label:34}{values}{floor:10.2f}{floor / row['ms']:10.0%}{row['last_loss']:9.4f}", flush=True)
        if "no_graph" in row:
            print(f"    no graph: {row['no_graph']}", flush=True)


def beside_torch(setting: Setting, run: gpu_steps.Run, model: Any, weights: dict, source: list) -> None:
    """Ours in bfloat16 as a graph, PyTorch eager, PyTorch compiled: in turns. Who cannot take part is left out."""
    contenders = [gpu_steps.warmed_up(gpu_steps.ours(run, model, weights, "bf16", graph=True), source)]
    for compiled in (False, True):
        start = time.perf_counter()
        try:
            contenders.append(gpu_steps.warmed_up(gpu_steps.torch_contender(run, weights, compiled), source))
        except Exception as error:
            complain(f"PyTorch, {'compile' if compiled else 'eager'}", error)
            continue
        print(f"{contenders[-1].name}: ready after {time.perf_counter() - start:.0f} s", flush=True)
        result = gpu_steps.in_turns(run, contenders, source)  # now, since compiling may take longer than there is time
        setting.tell(in_turns=rounded(result))
        for name, row in result["contenders"].items():
            show(name, row)
        early = {name: round(row["early_loss"], 4) for name, row in result["contenders"].items()}
        print(f"losses after {gpu_steps.GRAPH_AFTER} steps: {early}")
        for name, ratio in result["ratios"].items():
            print(f"{name} takes {ratio:.3f} times as long as ours")


def step(setting: Setting) -> None:
    """What a step of GPT-2 is made of."""
    how = effort(setting.smoke)
    copy, tflops = setting.copy_gbs(256), setting.tflops("bf16")
    if not setting.ceilings:
        copy, tflops = copy_rates(how).popitem()[1], product_rate(how.side, how.side, how.side, "bf16", how)
    run = gpu_steps.SMALL if setting.smoke else gpu_steps.GPT2
    setting.tell(**rounded(gpu_report.report(run, how, copy, tflops)))


decode, memory = gpu_decode.decode, gpu_memory.memory


# ---- a run to a loss ------------------------------------------------------------------------------------------------


class Reached(Exception):
    """The loss that was wanted is there."""


def shakespeare(setting: Setting) -> None:
    """nanoGPT's character preset until the held-out loss is 1.47 nats: wall time, with evaluations and checkpoints."""
    from tinygrad_llm.train import PRESETS, TrainConfig, start_run

    text = find_text(setting)
    if text is None:
        reason = "no text: give --text, or set TINYGRAD_LLM_DATA to a folder with tinyshakespeare.txt"
        print(reason)
        setting.tell(skipped=reason)
        return
    preset = {"device": "cuda", "precision": "bf16", "text": str(text), "checkpoint_every": 1000}
    wanted, small = WANTED_LOSS, {}
    if setting.smoke:
        wanted = 10.0
        small = {"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 8, "batch_size": 4, "steps": 3, "eval_every": 1}
        small |= {"eval_batches": 1, "checkpoint_every": 3}
    start, curve = time.perf_counter(), []
    with tempfile.TemporaryDirectory() as folder:
        trainer = start_run(TrainConfig(**PRESETS["shakespeare-gpu"] | preset | small), Path(folder) / "run")

        def report(line: str) -> None:
            seconds = time.perf_counter() - start
            print(f"{seconds:6.1f} s  {line}", flush=True)
            if "held-out loss" in line:
                curve.append((trainer.step_number, round(seconds, 2), float(line.split("held-out loss")[1].split()[0])))
                setting.tell(curve=curve, wanted=wanted)
                if trainer.step_number and trainer.best <= wanted:
                    raise Reached

        try:
            trainer.run(progress=False, report=report)
            print(f"{wanted} was not reached: the best is {trainer.best:.4f}")
            setting.tell(reached=False, best=trainer.best)
        except Reached:
            seconds = time.perf_counter() - start
            print(f"{wanted} reached after {trainer.step_number} steps and {seconds:.1f} s")
            setting.tell(reached=True, best=trainer.best, steps=trainer.step_number, run_seconds=round(seconds, 2))


def find_text(setting: Setting) -> Path | None:
    """The text that was given, Shakespeare's where the data are, or a few words for a smoke run."""
    if setting.text is not None:
        return setting.text
    folder = os.environ.get("TINYGRAD_LLM_DATA")
    if folder and (Path(folder) / "tinyshakespeare.txt").is_file() and not setting.smoke:
        return Path(folder) / "tinyshakespeare.txt"
    if not setting.smoke:
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as file:
        file.write("the cat sat on the mat. " * 60)
    return Path(file.name)
