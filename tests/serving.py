"""Servers under test, as real processes, and clients for them."""

from __future__ import annotations

import http.client
import json
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import cv2
from websockets.sync.client import ClientConnection, connect

from tests.batches import LIGHT_ARGUMENTS
from tests.cli import start_cli, start_process
from tests.faces import astronaut
from tracker.types import ImageArray

TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Answer:
    """Status, headers and body of an HTTP answer."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Serving:
    """A server that runs as ``process``; ``address`` is the first one that it printed."""

    process: subprocess.Popen[str]
    address: str

    @property
    def port(self) -> int:
        """Port that it listens on."""
        port = urlsplit(self.address).port
        assert port is not None
        return port

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request on a connection of its own and return the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        """Send a GET; ``_`` in names of ``headers`` stands for ``-``."""
        return self.request("GET", path, headers={name.replace("_", "-"): v for name, v in headers.items()})

    def post(self, body: bytes, query: str = "", **headers: str) -> Answer:
        """Send a picture to ``/api/faces``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request("POST", f"/api/faces{query}", body, named)

    def connect(self, path: str, **options: Any) -> ClientConnection:
        """Open a WebSocket, to be closed by the caller; ``options`` are those of ``websockets``."""
        address = f"ws://127.0.0.1:{self.port}{path}"
        connecting: ClientConnection = connect(address, open_timeout=TIMEOUT_S, proxy=None, **options)
        return connecting

    def exchange(self, sent: bytes) -> bytes:
        """Send raw bytes on a connection of its own and return what comes until its end."""
        with socket.create_connection(("127.0.0.1", self.port), TIMEOUT_S) as raw:
            raw.sendall(sent)
            return b"".join(iter(lambda: raw.recv(1 << 16), b""))


@contextmanager
def serving(*args: object) -> Iterator[Serving]:
    """Start ``tracker serve ARGS`` with the light model on a free port, and end it after the block."""
    with start_cli("serve", "--port", "0", *LIGHT_ARGUMENTS, *args) as process:
        yield _ready(process)
        process.terminate()
        process.wait(TIMEOUT_S)


@contextmanager
def serving_code(code: str, *args: str) -> Iterator[Serving]:
    """Start a server by Python ``code``, for settings that the command line does not have."""
    with start_process([sys.executable, "-c", code, *args]) as process:
        yield _ready(process)
        process.terminate()
        process.wait(TIMEOUT_S)


def _ready(process: subprocess.Popen[str]) -> Serving:
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    if not address:
        raise AssertionError(process.communicate(timeout=TIMEOUT_S)[1])
    return Serving(process, address)


def encoded(image: ImageArray, suffix: str = ".jpg") -> bytes:
    """Return ``(H, W, 3)`` BGR as an image file."""
    return cv2.imencode(suffix, image)[1].tobytes()


def portrait(suffix: str = ".jpg") -> bytes:
    """Return the portrait as an image file."""
    return encoded(astronaut(), suffix)


def message(time_s: float, picture: bytes) -> bytes:
    """Return a message for ``/ws/camera``."""
    return struct.pack("<d", time_s) + picture


def live_message(data: str | bytes) -> tuple[Any, bytes]:
    """Return the JSON and the picture in a message of ``/ws/live``."""
    assert isinstance(data, bytes)
    (length,) = struct.unpack_from("<I", data)
    return json.loads(data[4 : 4 + length]), data[4 + length :]
