"""What a block of no_grad or detect_anomaly reaches: the code in it, and no other thread, task or time."""

from __future__ import annotations

import contextvars
import threading

import numpy as np
import pytest

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor, detect_anomaly, no_grad
from tinygrad_llm.errors import NonFiniteError


def recorded():
    return (Tensor([1.0], requires_grad=True) * 2).requires_grad


def checked():
    try:
        with np.errstate(all="ignore"):
            ops.log(Tensor([0.0]))
    except NonFiniteError:
        return True
    return False


@pytest.mark.parametrize(("block", "seen", "outside"), [(no_grad, recorded, True), (detect_anomaly, checked, False)])
def test_a_block_ends_where_it_ends_however_it_ends(block, seen, outside):
    assert seen() is outside
    with block():
        assert seen() is not outside
        with block():
            assert seen() is not outside
        assert seen() is not outside
    assert seen() is outside
    with pytest.raises(KeyError), block():
        raise KeyError
    assert seen() is outside


@pytest.mark.parametrize(("block", "seen", "outside"), [(no_grad, recorded, True), (detect_anomaly, checked, False)])
def test_another_thread_is_not_in_the_block_unless_it_takes_the_context_along(block, seen, outside):
    def asked(run):
        found = []
        thread = threading.Thread(target=lambda: found.append(run()))
        thread.start()
        thread.join()
        return found[0]

    with block():
        assert asked(seen) is outside
        context = contextvars.copy_context()
        assert asked(lambda: context.run(seen)) is not outside

    entered, leave = threading.Event(), threading.Event()

    def stay():
        with block():
            entered.set()
            leave.wait(60)

    thread = threading.Thread(target=stay)
    thread.start()
    entered.wait(60)
    assert seen() is outside
    leave.set()
    thread.join()


def test_a_generator_that_stops_within_a_block_ends_it_when_it_is_closed():
    def read():
        with no_grad():
            yield recorded()

    running = read()
    assert next(running) is False
    running.close()
    assert recorded()


def test_one_block_within_the_other_keeps_both():
    for first, second in ((no_grad, detect_anomaly), (detect_anomaly, no_grad)):
        with first(), second():
            assert checked() and not recorded()
    assert recorded() and not checked()


def test_an_anomaly_of_a_derivative_is_found_though_the_values_are_finite():
    x = Tensor(np.array([0.0, 1.0]), requires_grad=True)
    with np.errstate(all="ignore"), detect_anomaly():
        y = ops.sqrt(x).sum()
        with pytest.raises(NonFiniteError, match="gradient of sqrt"):
            y.backward()
