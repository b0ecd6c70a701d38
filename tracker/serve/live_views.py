"""``/ws/live`` and ``/api/live.mjpg``: the live source for viewers, each as fast as it takes pictures."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

from starlette.websockets import WebSocket, WebSocketDisconnect

from tracker.serve.live import Live, LivePicture
from tracker.serve.service import Service
from tracker.serve.sockets import FAILED, SERVER_ENDS, close, send

T = TypeVar("T")

BOUNDARY = "picture"
"""Boundary between the pictures of an MJPEG stream."""

_LENGTH = struct.Struct("<I")


async def view(socket: WebSocket, live: Live, service: Service, with_picture: bool) -> None:
    """Send the newest picture again and again, or its JSON line alone, until one of the three ends.

    A message with a picture is binary: the length of the JSON as a little-endian uint32, the JSON, a JPEG.
    """
    sending = asyncio.create_task(_send(socket, live, with_picture))
    leaving = asyncio.create_task(_wait_for_leaving(socket))
    ending = asyncio.create_task(service.ending.wait())
    tasks = (sending, leaving, ending)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if ending.done():
            await close(socket, SERVER_ENDS, "the server ends")
        elif not leaving.done() and sending.exception() is None:
            await close(socket, FAILED, "the live source has ended")
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for error in results:
        if isinstance(error, Exception) and not isinstance(error, WebSocketDisconnect):
            raise error


async def _send(socket: WebSocket, live: Live, with_picture: bool) -> None:
    number = 0
    with live.watching():
        while (picture := await live.after(number)) is not None:
            number = picture.number
            await send(socket, await _message(picture) if with_picture else picture.line)


async def _message(picture: LivePicture) -> bytes:
    line = picture.line.encode()
    return _LENGTH.pack(len(line)) + line + await picture.plain()


async def _wait_for_leaving(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass  # viewers have nothing to say


async def mjpeg(live: Live, service: Service) -> AsyncIterator[bytes]:
    """Yield the parts of a ``multipart/x-mixed-replace`` body: the newest picture, with its faces drawn."""
    number = 0
    with live.watching():
        while (picture := await _unless_ending(live.after(number), service)) is not None:
            number = picture.number
            data = await picture.drawn(service.settings.style)
            head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
            yield head.encode() + data + b"\r\n"


async def _unless_ending(wanted: Awaitable[T], service: Service) -> T | None:
    """Return the result of ``wanted``, or None if the server ends before."""
    waiting = asyncio.ensure_future(wanted)
    ending = asyncio.create_task(service.ending.wait())
    try:
        await asyncio.wait((waiting, ending), return_when=asyncio.FIRST_COMPLETED)
        return waiting.result() if waiting.done() else None
    finally:
        waiting.cancel()
        ending.cancel()
