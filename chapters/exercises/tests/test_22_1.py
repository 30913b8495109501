"""22.1: a layer with LoRA beside it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm import Tensor
from tinygrad_llm.course.exercises.calls import call
from tinygrad_llm.finetune import LoRA
from tinygrad_llm.nn import Linear

X, W, NOTHING = np.array([[1.0, 2.0]]), np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), np.zeros(3)
A, B = np.array([[1.0, 1.0]]), np.array([[1.0], [2.0], [3.0]])  # A x = 3


def test_the_sum_by_hand(mine):
    call(mine.lora_linear, X, W, NOTHING, A, B, 1).gives(np.array([[1.0 + 3, 2.0 + 6, 3.0 + 9]]))


def test_the_bias_is_added_once(mine):
    call(mine.lora_linear, X, W, np.array([10.0, 20.0, 30.0]), A, B, 1).gives(np.array([[14.0, 28.0, 42.0]]))


def test_alpha_is_divided_by_the_rank(mine):
    two = np.array([[1.0, 1.0], [1.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]])  # B A x = 3, 2, 4
    call(mine.lora_linear, X, W, NOTHING, *two, 6).gives(np.array([[1.0 + 9, 2.0 + 6, 3.0 + 12]]))


def test_dropout_is_of_what_the_adapter_reads(mine):
    keep = np.array([[0.0, 2.0]])  # A reads (0, 4)
    call(mine.lora_linear, X, W, NOTHING, A, B, 1, keep).gives(np.array([[1.0 + 4, 2.0 + 8, 3.0 + 12]]))


def test_any_axes_before_the_last(mine):
    x = np.stack([X, 10 * X])
    call(mine.lora_linear, x, W, NOTHING, A, B, 1).gives(np.array([[[4.0, 8.0, 12.0]], [[40.0, 80.0, 120.0]]]))


def drawn(mine, outputs, inputs, r, seed=0):
    return mine.first_matrices(outputs, inputs, r, np.random.default_rng(seed))


def test_at_first_nothing_is_added(mine):
    def first_output(x, weight, r):
        return mine.lora_linear(x, weight, NOTHING, *drawn(mine, 3, 2, r), 8)

    call(first_output, X, W, 4).gives(X @ W.T)


def test_b_is_zero_and_a_is_drawn(mine):
    def b_and_whether_a_is_drawn(outputs, inputs, r):
        a, b = drawn(mine, outputs, inputs, r)
        return not np.any(b), bool(np.all(a))

    call(b_and_whether_a_is_drawn, 3, 2, 4).gives((True, True))


def test_a_is_drawn_by_the_root_of_the_inputs(mine):
    def a_drawn_with_seed(outputs, inputs, r, seed):
        return drawn(mine, outputs, inputs, r, seed)[0]

    call(a_drawn_with_seed, 3, 4, 2, 0).gives(np.random.default_rng(0).uniform(-0.5, 0.5, (2, 4)))


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(0, 9))
def test_the_package_says_the_same(mine, outputs, inputs, r, seed):
    rng = np.random.default_rng(seed)
    layer = Linear(inputs, outputs, rng=rng, dtype=np.float64)
    adapter = LoRA(layer, r, 3.0, rng=rng, dtype=np.float64)
    adapter.lora_B.assign(rng.integers(-3, 4, (outputs, r)) * 1.0)
    x = rng.integers(-3, 4, (2, inputs)) * 1.0
    parts = (layer.weight, layer.bias, adapter.lora_A, adapter.lora_B)
    wanted = adapter(Tensor(x), layer, layer).numpy()
    call(mine.lora_linear, x, *(p.numpy() for p in parts), 3.0).gives(wanted)
