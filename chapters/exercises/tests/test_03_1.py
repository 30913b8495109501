"""03.1: momentum."""

import numpy as np

from tinygrad_llm.course.exercises.calls import call

W, G, ZERO = np.array([1.0, 2.0]), np.array([0.5, -1.0]), np.zeros(2)


def test_the_first_step_is_that_of_sgd(mine):
    call(mine.momentum_step, W, G, ZERO, 0.1).gives((W - 0.1 * G, G))


def test_it_keeps_going_without_a_gradient(mine):
    call(mine.momentum_step, W, ZERO, G, 0.1, 0.5).gives((W - 0.05 * G, 0.5 * G))


def test_without_memory_it_is_sgd(mine):
    call(mine.momentum_step, W, G, 7 * G, 0.1, 0.0).gives((W - 0.1 * G, G))


def test_a_constant_gradient_is_taken_ten_times(mine):
    # 1 + 0.9 + 0.81 + ... = 10
    def two_hundred_steps(g):
        w, u = np.zeros(1), np.zeros(1)
        for _ in range(200):
            before, (w, u) = w, mine.momentum_step(w, g, u, 0.1)
        return w - before

    call(two_hundred_steps, np.array([1.0])).gives(np.array([-1.0]), rtol=1e-6)
