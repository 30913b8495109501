"""03.2: AdamW. Its golden: five steps of PyTorch's."""

import numpy as np

from tinygrad_llm.course.exercises.calls import call

W, G, ZERO = np.array([1.0, -2.0]), np.array([0.5, -300.0]), np.zeros(2)
# torch 2.13.0: AdamW([w], lr=0.1, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1), float64, gradients sin(t), cos(t)
GOLDEN = np.array([0.656606612, -1.853349989])


def stepped(mine, part):
    return lambda *args, **options: mine.adamw_step(*args, **options)[part]


def test_the_first_step_is_the_rate_whatever_the_gradient(mine):
    made = call(mine.adamw_step, W, G, ZERO, ZERO, 1, 0.1, decay=0.0)
    made.then("[0]", lambda result: result[0]).gives(np.array([0.9, -1.9]), rtol=1e-6)


def test_what_it_remembers(mine):
    made = call(mine.adamw_step, W, G, ZERO, ZERO, 1, 0.1)
    made.then("[1]", lambda result: result[1]).gives(0.1 * G)
    made.then("[2]", lambda result: result[2]).gives(0.001 * G * G)


def test_the_averages_are_corrected_for_their_beginning(mine):
    made = call(mine.adamw_step, W, G, 0.5 * G, 0.25 * G * G, 3, 0.1, 0.5, 0.5, decay=0.0)
    # m = 0.75 G, divided by 1 - 1/8; v = 0.625 G², divided by 1 - 1/8
    made.then("[0]", lambda result: result[0]).gives(
        W - 0.1 * np.sign(G) * (0.75 / 0.875) / np.sqrt(0.625 / 0.875), rtol=1e-6
    )


def test_the_decay_is_beside_the_step(mine):
    made = call(mine.adamw_step, W, ZERO, ZERO, ZERO, 1, 0.1, decay=0.5)
    made.then("[0]", lambda result: result[0]).gives(0.95 * W)


def test_eps_is_outside_the_root(mine):
    made = call(mine.adamw_step, W, np.array([1e-8, 1e-8]), ZERO, ZERO, 1, 0.1, decay=0.0)
    made.then("[0]", lambda result: result[0]).gives(W - 0.05)


def test_five_steps_of_pytorch(mine):
    def five_steps(w):
        m, v = np.zeros(2), np.zeros(2)
        for t in range(1, 6):
            w, m, v = mine.adamw_step(w, np.array([np.sin(t), np.cos(t)]), m, v, t, 0.1, decay=0.1)
        return w

    call(five_steps, W).gives(GOLDEN, rtol=1e-6)
