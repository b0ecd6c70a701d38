"""``/ws/camera``: pictures of a client's camera in, one JSON line for each out, in order."""

from __future__ import annotations

import asyncio
import json
import math
import struct
import time
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from starlette.websockets import WebSocket, WebSocketDisconnect

from tracker.errors import BackendError, TrackerError
from tracker.serve.pictures import decode
from tracker.serve.service import Service
from tracker.serve.sockets import INVALID, SERVER_ENDS, close, send
from tracker.serve.worker import Flow, ReplacedError
from tracker.sinks.line_records import line_record
from tracker.tracking.face_tracker import FaceTracker
from tracker.types import Frame

MOST_UNANSWERED = 8
"""Messages that a client may have sent and read no answer to; then nothing more is read from it."""

_TIME = struct.Struct("<d")
_MOST_TIME_S = 1e9  # thirty years: as in files of JSON lines
_ENDING_S = 0.9  # for the last answers


@dataclass(frozen=True)
class _Message:
    """A message of the client: its number from 0, its time in seconds, and when it arrived."""

    number: int
    time_s: float
    arrived_s: float

    def reply(self, values: dict[str, object]) -> str:
        """Return the answer to this message, as JSON."""
        place = {"frame": self.number, "time_s": round(self.time_s, 6)}
        return json.dumps({**values, **place}, ensure_ascii=False, allow_nan=False)


def parse_message(data: bytes | None) -> tuple[float, bytes]:
    """Return time in seconds and picture of a message: a little-endian float64 and an image file.

    Raises ``ValueError`` for text, None here, and for a time that is none.
    """
    if data is None or len(data) < _TIME.size:
        raise ValueError("a message is binary: a little-endian float64, the time in seconds, and a JPEG")
    (time_s,) = _TIME.unpack_from(data)
    if not abs(time_s) <= _MOST_TIME_S:  # in this form it refuses nan
        raise ValueError(f"the time is in seconds, and at most {_MOST_TIME_S:g}, got {time_s}")
    return time_s, data[_TIME.size :]


class CameraSession:
    """Conversation over one WebSocket, with a tracker of its own.

    Reading and answering go on side by side. The newest picture waits for the worker; one that it replaces
    is answered as skipped. Once :data:`MOST_UNANSWERED` are unanswered nothing more is read, so that a client
    that takes no answers costs no memory.
    """

    def __init__(self, socket: WebSocket, tracker: FaceTracker, service: Service) -> None:
        self._socket, self._tracker, self._service = socket, tracker, service
        self._flow = Flow()
        self._answers: asyncio.Queue[tuple[_Message, Future[str]] | None] = asyncio.Queue()
        self._places = asyncio.Semaphore(MOST_UNANSWERED)

    async def run(self) -> None:
        """Answer until the client leaves or breaks the rules, or the server ends."""
        reading = asyncio.create_task(self._read())
        answering = asyncio.create_task(self._answer())
        ending = asyncio.create_task(self._service.ending.wait())
        try:
            await asyncio.wait((reading, answering, ending), return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                reading.cancel()
            elif reading.exception() is None:  # the client has left
                return
            self._answers.put_nowait(None)
            await asyncio.wait_for(answering, _ENDING_S)
            await self._close(reading)
        except (WebSocketDisconnect, TimeoutError):  # nobody takes the answers
            return
        finally:
            self._service.worker.withdraw(self._flow)
            for task in (reading, answering, ending):
                task.cancel()
            await asyncio.gather(reading, answering, ending, return_exceptions=True)

    async def _close(self, reading: asyncio.Task[None]) -> None:
        """Say why nothing more is read: the client broke the rules, or else the server ends."""
        error = reading.exception() if reading.done() and not reading.cancelled() else None
        if isinstance(error, ValueError):
            await close(self._socket, INVALID, str(error))
        elif error is not None:
            raise error
        else:
            await close(self._socket, SERVER_ENDS, "the server ends")

    async def _read(self) -> None:
        """Give each message to the worker; return when the client has left."""
        number, newest_s = 0, -math.inf
        while True:
            await self._places.acquire()
            received = await self._socket.receive()
            if received["type"] == "websocket.disconnect":
                return
            time_s, picture = parse_message(received.get("bytes"))
            message = _Message(number, time_s, time.monotonic())
            if time_s < newest_s:
                self._answers.put_nowait(
                    (message, _failed(f"time goes back from {newest_s} s to {time_s} s"))
                )
            else:
                job = partial(self._track, message, picture)
                self._answers.put_nowait((message, self._service.worker.offer(self._flow, job)))
            number, newest_s = number + 1, max(newest_s, time_s)

    async def _answer(self) -> None:
        """Send the answers in the order of the messages, until None follows the last one."""
        while (entry := await self._answers.get()) is not None:
            message, future = entry
            try:
                reply = await asyncio.wrap_future(future)
            except ReplacedError:
                reply = message.reply({"skipped": True})
            except TrackerError as error:
                if isinstance(error, BackendError):  # the operator must know, too
                    self._service.say(str(error))
                reply = message.reply({"error": str(error)})
            await send(self._socket, reply)
            self._places.release()

    def _track(self, message: _Message, picture: bytes) -> str:
        """Return the reply to a picture; called by the worker."""
        image = decode(picture, self._service.settings.limits.picture_pixels)
        record = line_record(self._tracker.step(Frame(image, message.number, message.time_s)))
        latency_ms = 1000 * (time.monotonic() - message.arrived_s)
        return message.reply({**record, "latency_ms": round(latency_ms, 2)})


def _failed(why: str) -> Future[str]:
    future: Future[str] = Future()
    future.set_exception(TrackerError(f"{why}: connect again for another video"))
    return future
