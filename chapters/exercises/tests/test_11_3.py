"""11.3: the residual path."""

import numpy as np

from tinygrad_llm.course.exercises.calls import call

X, G = np.array([1.0, -2.0, 3.0]), np.array([0.5, 1.0, -1.0])


def dead(x):
    return 0 * x, lambda g, needs: 0 * g


def square(x):
    return x * x, lambda g, needs: 2 * x * g


def test_a_part_that_says_nothing_changes_nothing(mine):
    call(mine.residual, X, dead).value(X)


def test_and_the_gradient_passes_it_whole(mine):
    call(mine.residual, X, dead).gradient(G, G)


def test_what_a_part_says_is_added(mine):
    call(mine.residual, X, square).value(X + X * X)
    call(mine.residual, X, square).gradient(G, G * (1 + 2 * X))


def test_the_scale_is_that_of_the_part_both_ways(mine):
    call(mine.residual, X, square, 0.5).value(X + 0.5 * X * X)
    call(mine.residual, X, square, 0.5).gradient(G, G * (1 + X))


def test_the_part_is_asked_once(mine):
    asked = []

    def counting(x):
        asked.append(1)
        return square(x)

    call(mine.residual, X, counting).then(" asks the part so many times", lambda pair: (pair, len(asked))[1]).gives(1)


def test_a_stack_of_forty_follows_differences(mine):
    def bend(x):
        y = np.tanh(x)
        return y, lambda g, needs: g * (1 - y * y)

    def stack(x):
        vjps = []
        for _ in range(40):
            x, vjp = mine.residual(x, bend, 0.1)
            vjps.append(vjp)

        def back(g, needs):
            for vjp in reversed(vjps):
                g = vjp(g, needs)
            return g

        return x, back

    call(stack, X).follows_differences()


def test_one_layer_has_two_parts(mine):
    call(mine.small, 1).gives(0.5**0.5)


def test_all_parts_together_add_as_much_as_one(mine):
    # each of the 2 · 3 parts says something of length 1 that has nothing to do with what the others say
    def length_after(n_layer):
        x = np.eye(2 * n_layer + 1)[0]
        for number in range(2 * n_layer):
            part = lambda x, number=number: (np.eye(len(x))[number + 1], lambda g, needs: 0 * g)
            x = mine.residual(x, part, mine.small(n_layer))[0]
        return float((x * x).sum())

    call(length_after, 3).gives(2.0)
    call(length_after, 48).gives(2.0)


def test_gpt2_begins_with_it(mine):
    # transformers 5.24.0, GPT2PreTrainedModel._init_weights with initializer_range 0.02 and 12 layers
    call(mine.small, 12).then(" * 0.02", lambda scale: 0.02 * scale).gives(0.004082482904638631)
