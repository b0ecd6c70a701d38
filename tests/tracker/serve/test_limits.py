"""Limits on what clients take together: seats, and room for pictures that are being received."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.cli import wait_until
from tests.serving import Serving, portrait, serving_code
from tracker.errors import MisuseError
from tracker.serve.seats import FullError, Seats
from tracker.serve.settings import Limits

CODE = """
from tracker.serve.server import Listener, run_server
from tracker.serve.settings import Access, Limits, ServerSettings
from tracker.tracking.opening import TrackerOptions
limits = Limits(picture_bytes=1 << 20, bodies_bytes=1 << 20, body_s=2.0)
settings = ServerSettings(TrackerOptions("unet-light", "cpu", threads=1), Access(port=0), limits)
with Listener(settings.access) as listener:
    run_server(listener, settings, None, print, lambda: print(*listener.addresses, flush=True))
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    with serving_code(CODE) as started:
        yield started


def test_seats_are_given_back_also_after_an_error() -> None:
    seats = Seats(3, "chairs")
    with seats.take(2):
        with pytest.raises(FullError, match="all chairs of this server"), seats.take(2):
            pytest.fail("there are only three")
        with pytest.raises(ZeroDivisionError), seats.take():
            _ = 1 / 0
        assert seats.taken == 2
    assert seats.taken == 0


def test_pictures_being_received_have_a_room_together(server: Serving) -> None:
    head = b"POST /api/faces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1048576\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as slow:
        slow.sendall(head + b"\xff\xd8")
        wait_until(lambda: server.post(portrait()).status == 503)
    wait_until(lambda: server.post(portrait()).status == 200)


def test_a_picture_that_does_not_arrive_in_time_is_told(server: Serving) -> None:
    head = b"POST /api/faces HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 100\r\n\r\n"
    answer = server.exchange(head + b"\xff\xd8")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"did not arrive within 2 s" in answer


def test_the_largest_picture_must_fit() -> None:
    with pytest.raises(MisuseError, match="bodies_bytes"):
        Limits(picture_bytes=2, bodies_bytes=1)
