"""Small products have one thread of BLAS, large ones those that are allowed, and all is as before in the end."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tinygrad_llm.backend import blas_threads, gemm, matmul, threads, together

threadpoolctl = pytest.importorskip("threadpoolctl")


def counts():
    return [library["num_threads"] for library in threadpoolctl.threadpool_info() if library["user_api"] == "blas"]


@pytest.fixture
def three():
    """BLAS with three threads outside of the test's blocks."""
    with threadpoolctl.threadpool_limits(3, user_api="blas"):
        if set(counts()) != {3}:
            pytest.skip("a BLAS whose threads cannot be set")
        yield


@pytest.fixture
def seen(monkeypatch):
    """The thread counts at each call of NumPy's matmul within gemm."""
    found = []

    class Watching:
        def __getattr__(self, name):
            return getattr(np, name)

        def matmul(self, *args, **options):
            found.append(max(counts()))
            return np.matmul(*args, **options)

    import sys

    watching = Watching()
    module = sys.modules["tinygrad_llm.backend.gemm"]  # backend.gemm is the function
    monkeypatch.setattr(module, "np", watching)
    monkeypatch.setattr(module, "namespace", lambda *arrays: watching)
    monkeypatch.setattr(threads, "LARGE_PRODUCT", 1000)
    return found


def test_a_block_has_one_thread_and_leaves_what_it_found(three):
    with blas_threads():
        assert set(counts()) == {1}
        with blas_threads(2):
            assert set(counts()) == {1}
        assert set(counts()) == {1}
    assert set(counts()) == {3}
    with pytest.raises(ValueError), blas_threads():
        raise ValueError
    assert set(counts()) == {3}


def test_large_products_get_the_threads_of_the_innermost_block(three, seen):
    a, small = np.ones((10, 10)), np.ones((10, 9))
    with blas_threads():
        gemm(a, a)
        gemm(small.T, a)
        with blas_threads(2):
            matmul(np.ones((2, 10, 10)), a)
            gemm(a, a, out=np.ones((10, 10)), accumulate=True)
        with blas_threads(1):
            gemm(a, a)
        assert set(counts()) == {1}
    gemm(a, a)  # outside, nobody interferes
    assert seen == [3, 1, 2, 2, 1, 3]


def test_blocks_of_several_threads_may_overlap(three):
    entered, leave = threading.Event(), threading.Event()

    def other():
        with blas_threads():
            entered.set()
            leave.wait()

    with blas_threads():
        thread = threading.Thread(target=other)
        thread.start()
        entered.wait()
    assert set(counts()) == {1}  # the other is still inside
    leave.set()
    thread.join()
    assert set(counts()) == {3}


def test_what_goes_on_together_answers_in_order_and_really_meets():
    meeting = threading.Barrier(3, timeout=60)

    def task(number):
        meeting.wait()  # passed by all three at once, or by none
        return number, threading.get_ident()

    with ThreadPoolExecutor(2) as pool:
        answers = together(pool, task, 3)
    assert [number for number, _ in answers] == [0, 1, 2]
    assert answers[0][1] == threading.get_ident() and len({thread for _, thread in answers}) == 3
    assert together(None, lambda i: i, 2) == [0, 1]


@pytest.mark.parametrize("failing", [(0,), (1,), (2,), (1, 2), (0, 2)])
def test_the_first_error_is_raised_after_all_have_ended(failing):
    ended, last = [], threading.Event()

    def task(number):
        try:
            if number in failing:
                raise ValueError(number)
            if number == max({0, 1, 2} - set(failing)):
                last.wait(0.2)  # it ends after the one that fails
        finally:
            ended.append(number)

    with ThreadPoolExecutor(2) as pool, pytest.raises(ValueError, match=str(failing[0])):
        try:
            together(pool, task, 3)
        finally:
            assert sorted(ended) == [0, 1, 2]
