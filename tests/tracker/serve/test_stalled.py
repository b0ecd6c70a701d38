"""Connections that take nothing, or ask for nothing, are aborted; all others stay."""

from __future__ import annotations

from typing import Any

from tracker.serve.stalled import StalledConnections

STALLED_S = 20.0


class FakeTransport:
    """Transport with ``unsent`` bytes."""

    def __init__(self, unsent: int = 0, closing: bool = False) -> None:
        self.unsent, self.closing, self.aborted = unsent, closing, False

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def is_closing(self) -> bool:
        return self.closing

    def abort(self) -> None:
        self.aborted = True


class FakeCycle:
    """Request of HTTP and its answer, as uvicorn calls them."""

    def __init__(self, response_complete: bool) -> None:
        self.response_complete = response_complete


class FakeConnection:
    """Connection of a WebSocket; of HTTP with ``cycle``."""

    def __init__(self, transport: FakeTransport, **values: Any) -> None:
        self.transport: Any = transport
        self.cycle: Any
        vars(self).update(values)


def aborted_after(connection: FakeConnection, *unsent: int) -> bool:
    """Return whether a connection is aborted that has had so much unsent in looks of five seconds."""
    watch = StalledConnections([connection], STALLED_S)
    for look, size in enumerate(unsent):
        connection.transport.unsent = size
        watch.look(100.0 + 5 * look)
    return bool(connection.transport.aborted)


def test_one_that_takes_nothing_is_aborted_after_the_limit() -> None:
    assert not aborted_after(FakeConnection(FakeTransport()), 7, 7, 7, 7)
    assert aborted_after(FakeConnection(FakeTransport()), 7, 7, 7, 7, 7)


def test_one_that_takes_a_little_stays() -> None:
    assert not aborted_after(FakeConnection(FakeTransport()), 9, 8, 7, 6, 5, 4, 3, 2, 1)
    assert not aborted_after(FakeConnection(FakeTransport()), *[0] * 9)
    assert not aborted_after(FakeConnection(FakeTransport()), 7, 8, 7, 8, 7, 8, 7, 8, 7)


def test_what_the_server_adds_is_not_taken_by_anyone() -> None:
    assert aborted_after(FakeConnection(FakeTransport()), 7, 7, 9, 9, 11)


def test_one_that_is_closing_for_ever_is_aborted() -> None:
    assert aborted_after(FakeConnection(FakeTransport(closing=True)), *[0] * 5)


def test_one_without_a_request_is_aborted_and_one_in_progress_stays() -> None:
    idle = FakeConnection(FakeTransport(), cycle=None)
    answered = FakeConnection(FakeTransport(), cycle=FakeCycle(True))
    in_progress = FakeConnection(FakeTransport(), cycle=FakeCycle(False))
    assert [aborted_after(one, *[0] * 9) for one in (idle, answered, in_progress)] == [True, True, False]


def test_one_that_asks_again_and_again_stays() -> None:
    connection = FakeConnection(FakeTransport(), cycle=None)
    watch = StalledConnections([connection], STALLED_S)
    for look in range(9):
        connection.cycle = FakeCycle(True)  # at each look there is another one
        watch.look(100.0 + 5 * look)
    assert not connection.transport.aborted
