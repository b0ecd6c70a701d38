"""Requests and frames that no library sends: the server neither grows, nor logs, nor forgets a connection."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.cache import Clips
from tests.cli import wait_until
from tests.serving import TIMEOUT_S, Serving, portrait, serving, serving_code

HOST = b"Host: localhost\r\n"
HANDSHAKE = (
    b"GET /ws/%s HTTP/1.1\r\n" + HOST + b"%sConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
MIB = 1 << 20


@pytest.fixture(scope="module")
def server(clips: Clips) -> Iterator[Serving]:
    with serving("--video", clips.faces(30)) as started:
        yield started
        started.process.terminate()
        assert started.process.stderr is not None
        said = started.process.stderr.read()
        assert "Traceback" not in said
        assert "unexpected" not in said


def resident_bytes(server: Serving) -> int:
    """Return how much memory the server's process has."""
    pages = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
    return pages * 4096


def received(raw: socket.socket) -> bytes:
    """Return what comes until the server closes."""
    with suppress(ConnectionError):
        return b"".join(iter(lambda: raw.recv(1 << 16), b""))
    return b""


@pytest.fixture
def raw(server: Serving) -> Iterator[socket.socket]:
    """A connection that has sent nothing yet."""
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S) as connection:
        yield connection


@pytest.mark.parametrize(
    ("begun", "status"),
    [
        (b"POST /api/faces HTTP/1.1\r\n" + HOST + b"Content-Type: text/plain\r\n", b"415"),
        (b"GET /api/live.mjpg HTTP/1.1\r\n" + HOST, b"200"),
    ],
)
def test_a_body_that_is_none_ends_an_answer_that_has_begun(
    raw: socket.socket, server: Serving, begun: bytes, status: bytes
) -> None:
    raw.sendall(begun + b"Transfer-Encoding: chunked\r\n\r\n")
    assert raw.recv(12) == b"HTTP/1.1 " + status
    raw.sendall(b"no chunk\r\n")
    received(raw)
    assert server.get("/api/health").status == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /api/faces HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nno chunk\r\n",
        b"GET /\r\n\r\n",
        b"\x16\x03\x01\x00\xc8\x01\r\n\r\n",
        HANDSHAKE % (b"camera", b"Content-Length: 3\r\n"),
        HANDSHAKE % (b"camera", b"X: " + b"a" * 10_000 + b"\r\n"),
        HANDSHAKE % (b"camera", b"X: a\r\n" * 300),
    ],
)
def test_what_is_no_request_is_told_so_and_closed(server: Serving, sent: bytes) -> None:
    answer = server.exchange(sent)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'{"error": "this is no HTTP/1.1 request' in answer


def test_chunks_are_not_read_in_spite_of_a_length(server: Serving) -> None:
    both = b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = server.exchange(
        b"POST /api/faces HTTP/1.1\r\nConnection: close\r\n" + HOST + both + b"3\r\nabc\r\n0\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 411 ")
    assert b"no Transfer-Encoding" in answer


def test_pings_of_a_client_that_reads_nothing_are_not_kept(raw: socket.socket, server: Serving) -> None:
    raw.sendall(HANDSHAKE % (b"camera", b""))
    assert raw.recv(12) == b"HTTP/1.1 101"
    before = resident_bytes(server)
    pings = b"\x89\xfd\0\0\0\0" + b"a" * 125
    for _ in range(60):
        raw.sendall(pings * (MIB // len(pings)))
    assert resident_bytes(server) - before < 30 * MIB


def test_a_message_of_endless_empty_fragments_is_refused(raw: socket.socket) -> None:
    raw.sendall(HANDSHAKE % (b"camera", b""))
    assert raw.recv(12) == b"HTTP/1.1 101"
    raw.sendall(b"\x02\x80\0\0\0\0" + b"\x00\x80\0\0\0\0" * 1024)
    assert b"\x03\xf1more than 1024 fragments" in received(raw)


def test_a_message_in_fragments_is_one(server: Serving) -> None:
    picture = bytes(8) + portrait()
    with server.connect("/ws/camera") as client:
        client.send([picture[at : at + 1000] for at in range(0, len(picture), 1000)])
        assert '"faces": [{' in str(client.recv(TIMEOUT_S))


LIMITED = """
from tracker.serve.server import Listener, run_server
from tracker.serve.settings import Access, Limits, ServerSettings
from tracker.tracking.opening import TrackerOptions
settings = ServerSettings(
    TrackerOptions("unet-light", "cpu", threads=1), Access(port=0), Limits(connections=1, stalled_s=3600.0)
)
with Listener(settings.access) as listener:
    run_server(listener, settings, None, print, lambda: print(*listener.addresses, flush=True))
"""
MOST = 4 + 64


def test_silent_connections_give_way_to_those_that_ask() -> None:
    with serving_code(LIMITED) as server, ExitStack() as stack:
        files = Path(f"/proc/{server.process.pid}/fd")
        head = b"POST /api/faces HTTP/1.1\r\n" + HOST + b"Connection: close\r\nContent-Length: %d\r\n\r\n"
        busy = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S))
        busy.sendall(head % len(portrait()))
        wait_until(lambda: server.post(portrait()).status == 503)
        before = len(list(files.iterdir()))
        for _ in range(3 * MOST):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S))
        assert server.get("/api/health").status == 200
        assert len(list(files.iterdir())) < before + MOST
        busy.sendall(portrait())
        assert received(busy).startswith(b"HTTP/1.1 200 ")
