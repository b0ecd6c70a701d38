"""The inference thread: newest job of each flow, fair shares, and an end that loses nobody."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.errors import MisuseError
from tracker.serve.worker import FairWorker, Flow, ReplacedError

WAIT_S = 30.0


class Clock:
    """Clock that only jobs move on."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def worker() -> Iterator[FairWorker]:
    with FairWorker() as opened:
        yield opened


def held(worker: FairWorker) -> Callable[[], None]:
    """Occupy the worker with a job of a flow of its own, and return what ends it."""
    begun, released = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        released.wait(WAIT_S)

    worker.offer(Flow(), wait)
    assert begun.wait(WAIT_S)
    return released.set


def test_a_job_has_its_result_or_its_exception(worker: FairWorker) -> None:
    assert worker.offer(Flow(), lambda: 7).result(WAIT_S) == 7
    with pytest.raises(ZeroDivisionError):
        worker.offer(Flow(), lambda: 1 / 0).result(WAIT_S)
    assert worker.offer(Flow(), lambda: 8).result(WAIT_S) == 8


def test_the_newest_job_of_a_flow_takes_the_place_of_a_waiting_one(worker: FairWorker) -> None:
    release = held(worker)
    one, other = Flow(), Flow()
    done: list[str] = []
    first = worker.offer(one, lambda: done.append("one, old"))
    between = worker.offer(other, lambda: done.append("other"))
    last = worker.offer(one, lambda: done.append("one, new"))
    with pytest.raises(ReplacedError):
        first.result(WAIT_S)
    release()
    last.result(WAIT_S)
    between.result(WAIT_S)
    assert done == ["one, new", "other"]  # in the place of the old one


def test_a_withdrawn_job_does_not_run(worker: FairWorker) -> None:
    release = held(worker)
    flow = Flow()
    job = worker.offer(flow, lambda: pytest.fail("it ran"))
    worker.withdraw(flow)
    worker.withdraw(flow)
    release()
    with pytest.raises(CancelledError):
        job.result(WAIT_S)


def test_a_job_that_its_owner_cancels_does_not_run(worker: FairWorker) -> None:
    release = held(worker)
    flow = Flow()
    job = worker.offer(flow, lambda: pytest.fail("it ran"))
    assert job.cancel()
    newer = worker.offer(flow, lambda: 1)
    release()
    assert newer.result(WAIT_S) == 1


def test_closing_finishes_the_running_job_and_cancels_the_others() -> None:
    worker = FairWorker()
    release = held(worker)
    waiting = worker.offer(Flow(), lambda: 1)
    threading.Timer(0.05, release).start()
    worker.close()
    worker.close()
    with pytest.raises(CancelledError):
        waiting.result(WAIT_S)
    with pytest.raises(MisuseError, match="closed"):
        worker.offer(Flow(), lambda: 1)


def shares(costs_s: list[float], turns: int) -> list[float]:
    """Return the time that each of several flows got, of which a new job always waits, with these costs."""
    clock = Clock()
    spent = [0.0] * len(costs_s)
    counted: Counter[str] = Counter()
    all_done = threading.Event()
    flows = [Flow() for _ in costs_s]
    with FairWorker(clock) as worker:

        def job(which: int) -> None:
            if all_done.is_set():  # the others no longer wait
                return
            clock.now_s += costs_s[which]
            spent[which] += costs_s[which]
            counted["jobs"] += 1
            if counted["jobs"] < turns:
                worker.offer(flows[which], partial(job, which))
            else:
                all_done.set()

        release = held(worker)
        for which in range(len(costs_s)):
            worker.offer(flows[which], partial(job, which))
        release()
        assert all_done.wait(WAIT_S)
    return spent


@given(st.lists(st.floats(0.001, 0.1), min_size=2, max_size=6))
def test_each_flow_gets_the_same_time_to_within_a_job_of_each(costs_s: list[float]) -> None:
    """The bound of start-time fair queueing: two flows that always wait differ by at most a job of each."""
    spent = shares(costs_s, turns=60)
    for (one_s, one_cost_s), (other_s, other_cost_s) in pairwise(zip(spent, costs_s, strict=True)):
        assert abs(one_s - other_s) <= one_cost_s + other_cost_s + 1e-9


def test_an_idle_flow_saves_nothing_up() -> None:
    clock = Clock()
    order: list[str] = []

    def run(name: str) -> None:
        clock.now_s += 1.0
        order.append(name)

    with FairWorker(clock) as worker:
        busy, idle = Flow(), Flow()
        for _ in range(50):
            worker.offer(busy, partial(run, "busy")).result(WAIT_S)
        for turn in range(4):
            order.clear()
            release = held(worker)
            pair = worker.offer(idle, partial(run, "idle")), worker.offer(busy, partial(run, "busy"))
            release()
            for future in pair:
                future.result(WAIT_S)
            assert Counter(order) == {"idle": 1, "busy": 1}, turn
