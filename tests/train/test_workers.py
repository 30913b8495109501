"""Threads that share the parameters: what they know, how many they are, and what they give back."""

from __future__ import annotations

import contextlib
import os
import sys
import threading

import numpy as np
import pytest

from tinygrad_llm.autograd import Tensor, no_grad
from tinygrad_llm.train import workers as module
from tinygrad_llm.train.workers import Workers, cores, worker_count


def test_threads_know_what_their_caller_knows():
    """As `no_grad`: a thread begins with an empty context of its own."""
    w = Tensor(np.ones(2), requires_grad=True)
    with Workers(3) as team:
        assert team.run(lambda i: (w * 2.0).requires_grad) == [True] * 3
        with no_grad():
            assert team.run(lambda i: (w * 2.0).requires_grad) == [False] * 3


@pytest.mark.parametrize("count", [1, 2, 4])
def test_so_many_threads_work_at_the_same_time_and_answer_in_order(count):
    meeting = threading.Barrier(count, timeout=30)

    def task(i):
        meeting.wait()
        return i, threading.get_ident()

    with Workers(count) as team:
        answers = team.run(task)
    assert [i for i, _ in answers] == list(range(count)) and len({thread for _, thread in answers}) == count
    assert answers[0][1] == threading.get_ident()


@pytest.mark.parametrize(("machine", "count", "left"), [(8, 2, 4), (2, 2, 1), (2, 4, 1), (4, 1, 4), (7, 3, 2)])
def test_blas_has_the_cores_that_are_left_over_while_they_work(machine, count, left, monkeypatch):
    told = []

    @contextlib.contextmanager
    def blas_threads(most):
        told.append(most)
        yield
        told.append("given back")

    monkeypatch.setattr(module, "blas_threads", blas_threads)
    monkeypatch.setattr(module, "cores", lambda: machine)
    before = sys.getswitchinterval()
    with Workers(count):
        assert told == [left] and (sys.getswitchinterval() < before) == (count > 1)
    assert told == [left, "given back"] and sys.getswitchinterval() == before


def test_all_have_ended_before_an_error_comes_out():
    done = []

    def task(i):
        if i != 1:
            raise KeyError(i)
        done.append(i)

    with Workers(3) as team:
        with pytest.raises(KeyError) as found:
            team.run(task)
        assert found.value.args == (0,) and done == [1]


@pytest.mark.parametrize("machine", [1, 2, 8])
def test_auto_is_one_a_core_and_at_most_one_an_example(machine, monkeypatch):
    monkeypatch.setattr(module, "cores", lambda: machine)
    assert [worker_count("auto", n) for n in (1, 2, 5, 100)] == [min(machine, n) for n in (1, 2, 5, 100)]
    assert [worker_count(3, n) for n in (1, 2, 5)] == [worker_count("3", n) for n in (1, 2, 5)] == [1, 2, 3]


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="needs an affinity")
def test_cores_are_those_that_this_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 3, 5})
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert cores() == 3
