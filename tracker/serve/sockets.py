"""WebSocket close codes of the server (RFC 6455, section 7.4), sending and closing."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from starlette.websockets import WebSocket, WebSocketDisconnect

SERVER_ENDS: Final = 1001
INVALID: Final = 1007
POLICY: Final = 1008
FAILED: Final = 1011
FULL: Final = 1013

_ABNORMAL = 1006

_MOST_REASON = 123  # bytes of UTF-8 in a close frame


async def send(socket: WebSocket, data: str | bytes) -> None:
    """Send one message; waits while the client takes nothing.

    Raises starlette's ``WebSocketDisconnect`` if the connection is closed, by whichever side.
    """
    try:
        await (socket.send_text(data) if isinstance(data, str) else socket.send_bytes(data))
    except RuntimeError as error:  # uvicorn's error where it has closed it, such as for a missing pong
        raise WebSocketDisconnect(_ABNORMAL, str(error)) from error


async def close(socket: WebSocket, code: int, why: str) -> None:
    """Close ``socket`` with a code and one line why, unless the client has left."""
    reason = why.encode()[:_MOST_REASON].decode(errors="ignore")
    with suppress(WebSocketDisconnect, RuntimeError):  # starlette's error for one that is closed
        await socket.close(code, reason)
