"""HTTP and WebSocket connections with limits that uvicorn's lack."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame

MOST_FRAGMENTS: Final = 1024
"""Frames of one message: empty ones count nothing against the size of a message, but take memory."""


def _bad_request() -> bytes:
    body = json.dumps({"error": "this is no HTTP/1.1 request, or its headers are too long"}).encode()
    head = (
        "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nX-Content-Type-Options: nosniff\r\n"
        f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


_BAD_REQUEST = _bad_request()


class HttpProtocol(H11Protocol):
    """HTTP connection, of which there are at most ``most_connections`` together with WebSockets.

    When too many are open, the one idle longest is closed, or the new one if none is idle. A malformed
    request closes its connection.
    """

    def __init__(self, *args: Any, most_connections: int, **options: Any) -> None:
        super().__init__(*args, **options)
        self._most_connections = most_connections
        self.idle_since_s = time.monotonic()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, if there is room."""
        super().connection_made(transport)
        kept = [one for one in self.connections if not one.transport.is_closing()]
        if len(kept) > self._most_connections:
            others = [one for one in kept if isinstance(one, HttpProtocol) and one is not self]
            idle = [one for one in others if one.cycle is None or one.cycle.response_complete]
            min(idle, key=_idle_since_s, default=self).transport.abort()

    def on_response_complete(self) -> None:
        """Note since when there is no request."""
        self.idle_since_s = time.monotonic()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's signature
        """Answer what is no request, unless an answer has begun: uvicorn would raise, and log a traceback."""
        cycle = self.cycle
        is_answering = cycle is not None and not cycle.response_complete
        if not (is_answering and cycle.response_started):
            self.transport.write(_BAD_REQUEST)
        if is_answering:
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.close()


def _idle_since_s(connection: HttpProtocol) -> float:
    return connection.idle_since_s


class SocketProtocol(WebSocketsSansIOProtocol):
    """WebSocket that costs no more memory than its limit of a message says."""

    def data_received(self, data: bytes) -> None:
        """Take what was received; a handshake that is none is answered, which uvicorn leaves open."""
        super().data_received(data)
        if not self.handshake_initiated:  # the whole of it comes at once, from the HTTP connection
            self.transport.write(_BAD_REQUEST)
            self.transport.close()

    def handle_ping(self) -> None:
        """Answer a ping, unless the client takes no answers: RFC 6455, 5.5.3, lets pongs be left out."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def handle_cont(self, event: Frame) -> None:
        """Take a fragment, up to :data:`MOST_FRAGMENTS`."""
        if len(self.frames) < MOST_FRAGMENTS:
            super().handle_cont(event)
        elif not self.transport.is_closing():
            self.conn.fail(CloseCode.MESSAGE_TOO_BIG, f"more than {MOST_FRAGMENTS} fragments")
            self.handle_parser_exception()
