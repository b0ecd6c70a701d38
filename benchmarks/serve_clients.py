"""Clients of a server under load: busy ones, sleeping ones, and pictures over HTTP."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import socket
import struct
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tracker.errors import BenchError

FPS = 30
"""Pictures that a busy client has to send each second."""

_IN_FLIGHT = 2
_RECEIVE_BYTES = 1 << 12
_PART_BYTES = 1 << 23
_PATIENCE_S = 60.0


def message(index: int, pictures: Sequence[bytes]) -> bytes:
    """Return the message of picture ``index`` for ``/ws/camera``."""
    return struct.pack("<d", index / FPS) + pictures[index % len(pictures)]


@dataclass
class Tally:
    """Answers that one client got: tracked pictures, skipped ones, and round trips in milliseconds."""

    tracked: int = 0
    skipped: int = 0
    failed: int = 0
    round_trips_ms: list[float] | None = None

    def count(self, answer: dict[str, object], round_trip_ms: float) -> None:
        """Count an answer."""
        if "faces" in answer:
            self.tracked += 1
            if self.round_trips_ms is not None:
                self.round_trips_ms.append(round_trip_ms)
        else:
            self.skipped += "skipped" in answer
            self.failed += "error" in answer


async def busy_client(port: int, pictures: Sequence[bytes], until_s: float, tally: Tally) -> None:
    """Send pictures at :data:`FPS` with two in flight, as the page does, until a monotonic time."""
    places = asyncio.Semaphore(_IN_FLIGHT)
    sent_s: list[float] = []
    async with connect(f"ws://127.0.0.1:{port}/ws/camera", proxy=None, compression=None) as link:

        async def read() -> None:
            async for text in link:
                answer = json.loads(text)
                tally.count(answer, 1000 * (time.monotonic() - sent_s[answer["frame"]]))
                places.release()

        reading = asyncio.create_task(read())
        while (now_s := time.monotonic()) < until_s:
            taking = asyncio.create_task(places.acquire())
            await asyncio.wait((taking, reading), return_when=asyncio.FIRST_COMPLETED)
            if not taking.done():  # the server has closed the connection
                taking.cancel()
                break
            sent_s.append(time.monotonic())
            with suppress(ConnectionClosed):
                await link.send(message(len(sent_s) - 1, pictures))
            await asyncio.sleep(max(now_s + 1 / FPS - time.monotonic(), 0))
    await asyncio.gather(reading, return_exceptions=True)


def sleeping_client(port: int, path: str) -> socket.socket:
    """Open a WebSocket that nobody will ever read; close it after use."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)
    raw.connect(("127.0.0.1", port))
    raw.sendall(
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    return raw


async def pushing_client(port: int, pictures: Sequence[bytes], until_s: float) -> None:
    """Send as many pictures as the server takes, and read no answer; come back when disconnected."""
    loop = asyncio.get_running_loop()
    while time.monotonic() < until_s:
        with sleeping_client(port, "/ws/camera") as raw, suppress(OSError, TimeoutError):
            raw.setblocking(False)
            await asyncio.sleep(0.2)
            for index in range(10**9):
                data = masked(message(index, pictures))
                await asyncio.wait_for(loop.sock_sendall(raw, data), max(until_s - time.monotonic(), 0.01))


async def viewing_client(port: int, until_s: float) -> None:
    """Watch the live source and read nothing; come back when disconnected."""
    while time.monotonic() < until_s:
        with sleeping_client(port, "/ws/live"):
            await asyncio.sleep(min(5.0, max(until_s - time.monotonic(), 0)))


async def watching_client(port: int, until_s: float) -> int:
    """Watch ``/ws/live`` until a monotonic time, and return the number of pictures.

    Raises ``websockets.exceptions.ConnectionClosed`` if the server ends the connection before.
    """
    count = 0
    async with connect(f"ws://127.0.0.1:{port}/ws/live", proxy=None, max_size=None) as link:
        with suppress(TimeoutError):
            async with asyncio.timeout(until_s - time.monotonic()):
                while True:
                    await link.recv()
                    count += 1
    return count


async def mjpeg_client(port: int, until_s: float) -> int:
    """Watch ``/api/live.mjpg`` until a monotonic time, and return the number of pictures.

    Raises ``asyncio.IncompleteReadError`` if the server ends the connection before.
    """
    count = 0
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_PART_BYTES)
    try:
        writer.write(b"GET /api/live.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with suppress(TimeoutError):
            async with asyncio.timeout(until_s - time.monotonic()):
                while True:
                    await reader.readuntil(b"\r\nContent-Type: image/jpeg\r\n")
                    count += 1
    finally:
        writer.close()
    return count


def masked(payload: bytes) -> bytes:
    """Return a binary WebSocket message of a client, with a mask of zeros (RFC 6455, section 5.2)."""
    return struct.pack(">BBQI", 0x82, 0x80 | 127, len(payload), 0) + payload


def post(connection: http.client.HTTPConnection, picture: bytes) -> dict[str, object]:
    """Send a picture to ``/api/faces`` on an open connection and return the answer."""
    connection.request("POST", "/api/faces", picture, {"Content-Type": "image/jpeg"})
    answer: dict[str, object] = json.loads(connection.getresponse().read())
    return answer


def post_once(port: int, picture: bytes) -> int:
    """Send a picture to ``/api/faces`` on a connection of its own, and return the number of faces.

    Raises :class:`~tracker.errors.BenchError` for an answer that is an error.
    """
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)) as connection:
        answer = post(connection, picture)
    faces = answer.get("faces")
    if not isinstance(faces, list):
        raise BenchError(f"/api/faces answers {answer}")
    return len(faces)


@dataclass(frozen=True)
class Resources:
    """Resident memory of a process in units of 10**6 bytes, its threads, and its open files."""

    megabytes: float
    threads: int
    files: int

    @classmethod
    def of(cls, pid: int) -> Resources:
        """Return those of a process (Linux)."""
        process = Path(f"/proc/{pid}")
        pages = int((process / "statm").read_text().split()[1])
        megabytes = round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)
        return cls(megabytes, len(list((process / "task").iterdir())), len(list((process / "fd").iterdir())))


def processor_s(pid: int) -> float:
    """Return the processor time that a process has taken, in seconds (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
