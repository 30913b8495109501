"""11.2: SwiGLU."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

# torch 2.13.0: F.silu(gate) * up and its backward with G, float64
GATE, UP, G = np.array([-2.0, -0.5, 1.0, 3.0]), np.array([1.0, 2.0, -1.0, 0.5]), np.array([1.0, -1.0, 2.0, 0.5])
Y = np.array([-0.2384058440, -0.3775406688, -0.7310585786, 1.4288611902])
DGATE = np.array([-0.0907842488, -0.5200776254, -1.8553410237, 0.2720260265])
DUP = np.array([-0.2384058440, 0.1887703344, 1.4621171573, 1.4288611902])


def test_a_gate_of_0_is_shut(mine):
    call(mine.swiglu, np.array([0.0]), np.array([7.0])).value(np.array([0.0]))


def test_but_half_of_the_gradient_gets_to_it(mine):
    # silu has the slope 1/2 at 0
    call(mine.swiglu, np.array([0.0]), np.array([7.0])).gradient(np.array([2.0]), np.array([7.0]), np.array([0.0]))


def test_a_wide_open_gate_multiplies(mine):
    call(mine.swiglu, np.array([30.0]), np.array([2.0])).value(np.array([60.0]))
    call(mine.swiglu, np.array([30.0]), np.array([2.0])).gradient(np.array([1.0]), np.array([2.0]), np.array([30.0]))


def test_a_gate_far_below_0_does_not_overflow(mine):
    with np.errstate(over="raise"):  # 1 / (1 + inf) would be right, and warn
        made = call(mine.swiglu, np.array([-1000.0]), np.array([2.0]))
        made.value(np.array([0.0]))
        made.gradient(np.array([1.0]), np.array([0.0]), np.array([0.0]))


def test_float32_stays_float32(mine):
    call(mine.swiglu, np.array([30.0], np.float32), np.array([2.0], np.float32)).value(np.array([60.0], np.float32))


def test_pytorchs_values(mine):
    call(mine.swiglu, GATE, UP).value(Y)


def test_pytorchs_gradients(mine):
    call(mine.swiglu, GATE, UP).gradient(G, DGATE, DUP)


@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 99))
def test_gradients_follow_differences(mine, rows, width, seed):
    gate, up = np.random.default_rng(seed).integers(-3, 4, (2, rows, width)) * 1.0
    call(mine.swiglu, gate, up).follows_differences()
