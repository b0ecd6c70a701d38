"""Inference in one thread, shared fairly by all connections."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from tracker.errors import MisuseError
from tracker.system.closing import Closing

T = TypeVar("T")


class ReplacedError(Exception):
    """A newer job of the same flow took the place of a waiting one."""


class Flow:
    """Sequence of jobs of one connection, of which at most one waits: the newest."""

    def __init__(self) -> None:
        self.finish_s = 0.0


@dataclass(frozen=True)
class _Job:
    call: Callable[[], Any]
    future: Future[Any]


class FairWorker(Closing):
    """Thread that runs the jobs of all flows one at a time; a context manager.

    Each flow gets the same share of the thread's time, however long its jobs take: the next job is that of
    the flow with the smallest start tag (start-time fair queueing: P. Goyal, H. M. Vin, H. Cheng, SIGCOMM
    1996), among equal ones that which has waited longest. An idle flow saves up nothing. Memory is bounded by
    the number of flows, since a job that a newer one of its flow replaces is dropped.

    ``clock`` returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._waiting: dict[Flow, _Job] = {}
        self._changed = threading.Condition()
        self._virtual_s = 0.0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)
        self._thread.start()

    def offer(self, flow: Flow, call: Callable[[], T]) -> Future[T]:
        """Let ``call`` be the next job of ``flow``, and return its future result.

        A job of the flow that still waits ends with :class:`ReplacedError`. Raises
        :class:`~tracker.errors.MisuseError` once closed.
        """
        job = _Job(call, Future())
        with self._changed:
            if self._closed:
                raise MisuseError("the worker is closed: offer jobs inside its with block")
            replaced = self._waiting.get(flow)
            self._waiting[flow] = job  # a replaced job's place in the order is kept
            self._changed.notify()
        if replaced is not None and replaced.future.set_running_or_notify_cancel():
            replaced.future.set_exception(ReplacedError())
        return job.future

    def withdraw(self, flow: Flow) -> None:
        """Cancel the waiting job of ``flow``, if there is one."""
        with self._changed:
            job = self._waiting.pop(flow, None)
        if job is not None:
            job.future.cancel()

    def close(self) -> None:
        """End the thread after the running job and cancel those that wait; closing twice is fine."""
        with self._changed:
            self._closed = True
            waiting, self._waiting = list(self._waiting.values()), {}
            self._changed.notify()
        for job in waiting:
            job.future.cancel()
        self._thread.join()

    def _run(self) -> None:
        while (taken := self._take()) is not None:
            flow, job = taken
            if not job.future.set_running_or_notify_cancel():
                continue
            begun_s = self._clock()
            try:
                result = job.call()
            except BaseException as error:  # noqa: BLE001 - raised again where the result is used
                job.future.set_exception(error)
            else:
                job.future.set_result(result)
            with self._changed:
                flow.finish_s = self._virtual_s + self._clock() - begun_s

    def _take(self) -> tuple[Flow, _Job] | None:
        """Wait for the next job and take it; None once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return None
            flow = min(self._waiting, key=self._start_tag)
            self._virtual_s = self._start_tag(flow)
            return flow, self._waiting.pop(flow)

    def _start_tag(self, flow: Flow) -> float:
        return max(self._virtual_s, flow.finish_s)
