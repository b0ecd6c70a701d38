"""Threads that read ahead and write behind: order, limits, errors in their place, and no thread left."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.errors import SinkError, SourceError
from tracker.runs import read_ahead
from tracker.runs.read_ahead import ReadAhead, WriteBehind
from tracker.system.signals import install
from tracker.types import Frame


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert {t for t in threading.enumerate() if t.name in ("reading ahead", "writing behind")} <= before


@given(st.integers(0, 30), st.integers(1, 5))
def test_every_item_passes_once_and_in_order(count: int, max_queued: int) -> None:
    written: list[int] = []
    items = range(1, count + 1)
    with ReadAhead(items, max_queued) as ahead, WriteBehind(written.append, max_queued) as write:
        for item in ahead:
            write(item)
    assert written == list(items)


def test_the_number_of_items_read_ahead_is_limited() -> None:
    read: list[int] = []

    def items() -> Iterator[int]:
        for item in range(1, 100):
            read.append(item)
            yield item

    with ReadAhead(items(), 3) as ahead:
        first = next(iter(ahead))
        time.sleep(0.3)  # time to read too much
        assert first == 1
        assert len(read) <= 1 + 3 + 1  # passed on, queued, and read but not queued yet


def test_fewer_large_frames_are_queued(monkeypatch: pytest.MonkeyPatch) -> None:
    large = [Frame(np.zeros((100, 100, 3), np.uint8), i, i / 30) for i in range(1, 9)]
    read: list[Frame] = []
    written: list[int] = []
    gate = threading.Event()

    def items() -> Iterator[Frame]:
        for frame in large:
            read.append(frame)
            yield frame

    def write(frame: Frame) -> None:
        gate.wait()
        written.append(frame.index)

    monkeypatch.setattr(read_ahead, "MAX_QUEUED_BYTES", 2 * large[0].image_bgr.nbytes)
    with ReadAhead(items(), 5) as ahead, WriteBehind(write, 5) as behind:
        coming = iter(ahead)
        for _ in range(3):
            behind(next(coming))  # one is being written, two are queued
        time.sleep(0.3)  # time to read too much
        assert len(read) == 3 + 2 + 1
        gate.set()
        for frame in coming:
            behind(frame)
    assert written == [frame.index for frame in large]


def test_an_error_of_the_source_follows_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield from (1, 2, 3)
        raise SourceError("damaged")

    got = []
    with pytest.raises(SourceError, match="damaged"), ReadAhead(items()) as ahead:
        for item in ahead:
            got.append(item)
    assert got == [1, 2, 3]


def test_an_error_of_the_writer_is_raised_soon_and_nothing_is_written_after_it() -> None:
    written: list[int] = []

    def write(item: int) -> None:
        if item == 3:
            raise SinkError("disk full")
        written.append(item)

    calls = 0
    with pytest.raises(SinkError, match="disk full"), WriteBehind(write, 2) as behind:
        for item in range(1, 1000):
            behind(item)
            calls = item
    assert written == [1, 2]
    assert calls < 1000 - 1


def test_an_error_of_the_last_write_is_raised_on_close() -> None:
    def write(_: int) -> None:
        time.sleep(0.05)
        raise SinkError("disk full")

    with pytest.raises(SinkError), WriteBehind(write) as behind:
        behind(1)


def test_an_error_of_the_writer_comes_before_a_later_one_of_the_source() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise SourceError("damaged")

    def write(_: int) -> None:
        raise SinkError("disk full")

    with pytest.raises(SinkError), ReadAhead(items()) as ahead, WriteBehind(write) as behind:
        for item in ahead:
            behind(item)


@pytest.mark.parametrize("leaves", [True, False])
def test_the_thread_ends_when_the_loop_breaks_or_raises(leaves: bool) -> None:
    with pytest.raises(ValueError), ReadAhead(iter(range(1, 10**9))) as ahead:
        for item in ahead:
            if item == 5 and leaves:
                break
            if item == 5:
                raise ValueError
        raise ValueError


def test_ctrl_c_during_a_slow_read_ends_the_loop_and_writes_finished_items() -> None:
    before, written, taken = signal.getsignal(signal.SIGINT), [], threading.Event()

    def items() -> Iterator[int]:
        yield from (1, 2)
        taken.wait(30)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.5)
        yield 3

    def write(item: int) -> None:
        time.sleep(0.05)
        written.append(item)

    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        install()
        with pytest.raises(KeyboardInterrupt), ReadAhead(items()) as ahead, WriteBehind(write) as behind:
            for item in ahead:
                behind(item)
                if item == 2:
                    taken.set()
    finally:
        signal.signal(signal.SIGINT, before)
    assert written == [1, 2]
