"""What tuning takes in memory: counted numbers are those of published models, and a process holds what was counted."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tinygrad_llm.errors import ArgumentError, DeviceError
from tinygrad_llm.finetune import LoraConfig, footprint, get_peft_model, memory
from tinygrad_llm.finetune.budget import matrix_sizes, rest_size, scale_bits
from tinygrad_llm.models import Llama, LlamaConfig
from tinygrad_llm.quantize import QuantizedLinear, quantize, quantize_linear

# layers, heads, width, hidden, and how many numbers there are, as Hugging Face counts them
LLAMAS = {
    "7B": (32, 32, 4096, 11_008, 6_738_415_616),
    "13B": (40, 40, 5120, 13_824, 13_015_864_320),
    "33B": (60, 52, 6656, 17_920, 32_528_943_616),
    "65B": (80, 64, 8192, 22_016, 65_285_660_672),
}
SMALL = LlamaConfig(40, 16, 3, 4, 64, 96, n_kv_head=2)


def llama(name):
    return LlamaConfig(32_000, 2048, *LLAMAS[name][:4])


@pytest.mark.parametrize("name", LLAMAS)
def test_the_numbers_of_llama_are_the_published_ones(name):
    config = llama(name)
    counted = config.n_layer * sum(o * i for o, i in matrix_sizes(config)) + rest_size(config)
    assert counted == LLAMAS[name][4]
    assert footprint(config, "full", number_bytes=2).weights == 2 * counted


def test_65_billion_take_more_than_780_gb_or_less_than_48():
    """Dettmers et al., 2023: rank 64 beside every matrix."""
    assert 780e9 < footprint(llama("65B"), "full").total < 790e9
    assert 41e9 < footprint(llama("65B"), "qlora", rank=64).total < 48e9


@pytest.mark.parametrize("config", [SMALL, LlamaConfig(30, 8, 1, 2, 32, 48, tied=True, head_size=8)])
def test_what_is_counted_is_what_a_model_has(config):
    model = Llama(config, rng=np.random.default_rng(0))
    full = footprint(config, "full", number_bytes=4)
    assert full.weights == full.gradients == 4 * model.n_parameters() and full.moments == 2 * full.weights
    assert full.scales == full.adapters == 0
    adapted = get_peft_model(model, LoraConfig("blocks.**.*_proj", r=3), rng=np.random.default_rng(0))
    lora = footprint(config, "lora", rank=3, number_bytes=4)
    assert lora.adapters == lora.gradients == 4 * adapted.n_trainable() and lora.weights == full.weights
    assert lora.moments == 2 * lora.adapters


@pytest.mark.parametrize("double", [True, False])
def test_packed_matrices_have_the_bytes_that_are_counted(double):
    config = LlamaConfig(40, 16, 1, 4, 256, 512)
    packed = quantize_linear(Llama(config, rng=np.random.default_rng(0)), "blocks.**.*_proj", double=double)
    layers = [m.quantized.nbytes for _, m in packed.named_modules() if isinstance(m, QuantizedLinear)]
    counted = footprint(config, "qlora", number_bytes=4, double=double)
    offsets = 4 * len(layers) if double else 0
    assert counted.weights + counted.scales - 4 * rest_size(config) == sum(layers) - offsets
    assert counted.gradients == footprint(config, "lora", number_bytes=4).gradients


@pytest.mark.parametrize(("block_size", "double"), [(64, True), (64, False), (128, True), (32, False)])
def test_bits_of_scales_are_those_of_the_arrays(block_size, double):
    count = block_size * 256 * 3
    kept = quantize(np.ones(count, np.float32), "nf4", block_size, double=double)
    scales = kept.nbytes - kept.codes.nbytes - (4 if double else 0)
    assert scale_bits(block_size, double) == 8 * scales / count


def test_activations_grow_with_tokens_and_shrink_with_checkpoints():
    def kept(tokens, checkpointing):
        return footprint(SMALL, tokens=tokens, checkpointing=checkpointing).activations

    # a block: norms, q k v, q k v turned, o, gate up, product, down; two rows of the vocabulary
    block, rows = 4 * 64 + 2 * 64 + 2 * 32 + 3 * 96, 2 * 40 * 4
    assert kept(10, False) == 10 * (3 * block * 2 + rows)
    assert kept(10, True) == 10 * ((3 * 64 + block) * 2 + rows)
    assert kept(20, True) == 2 * kept(10, True)
    assert footprint(SMALL, tokens=10, number_bytes=4).activations == 10 * ((3 * 64 + block) * 4 + rows)


def test_the_total_is_the_sum_of_its_parts():
    parts = footprint(SMALL, "qlora")
    assert all(value > 0 for value in vars(parts).values()) and parts.total == sum(vars(parts).values())


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(ArgumentError, match="full or lora or qlora"):
        footprint(SMALL, "adapters")
    with pytest.raises(ArgumentError, match="experts"):
        footprint(LlamaConfig(40, 16, 1, 2, 16, 16, n_experts=2, experts_per_token=1))
    for name in ("rank", "tokens", "number_bytes", "block_size"):
        with pytest.raises(ArgumentError, match=name):
            footprint(SMALL, **{name: 0})


linux = pytest.mark.skipif(not memory.measurable(), reason="the system does not tell what a process held")


@linux
@pytest.mark.parametrize("method", ["full", "lora", "qlora"])
def test_a_process_holds_what_was_counted(method):
    """With a few MB for what a step unpacks and for the heap's own; a second copy of the weights would be 25 MB."""
    found = memory.measure(method, width=512, layers=2, rank=4, tokens=8)
    assert found["counted"] == pytest.approx({"full": 103e6, "lora": 28e6, "qlora": 6.1e6}[method], rel=0.1)
    assert 0.97 * found["counted"] < found["held"] < found["counted"] * 1.05 + 12e6
    assert 10e6 < found["before"] < 500e6


@linux
def test_the_mark_is_of_the_steps_and_not_of_what_was_before():
    script = (
        "import numpy as np; from tinygrad_llm.finetune import memory; x = np.ones(20_000_000); del x;"
        "memory.MARK.write_text('5'); a = memory.resident('VmHWM'); x = np.ones(5_000_000); del x;"
        "print(a, memory.resident('VmHWM') - a, memory.resident('VmRSS') - a)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True)
    before, mark, left = map(int, done.stdout.split())
    assert before < 150e6 and 38e6 < mark < 44e6 and left < 5e6


@linux
def test_the_command_prints_a_line_a_method(capsys):
    memory.main(["--width", "64", "--layers", "1", "--tokens", "4"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["full", "lora", "qlora"] and all("MB" in line for line in lines)


def test_a_system_that_does_not_tell_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "MARK", tmp_path / "none")
    assert not memory.measurable()
    with pytest.raises(DeviceError, match="Linux"):
        memory.measure("full")


@linux
def test_a_process_that_dies_says_why():
    with pytest.raises(DeviceError, match="invalid choice"):
        memory.measure("none")
