"""``/ws/camera``: pictures of a client's camera in, one JSON line for each out, in order."""

from __future__ import annotations

import asyncio
import math
import time
from concurrent.futures import Future

from starlette.websockets import WebSocket, WebSocketDisconnect

from tracker.errors import BackendError, ClusterError, TrackerError
from tracker.serve.engine import Session
from tracker.serve.messages import Message, parse_message
from tracker.serve.service import Service
from tracker.serve.sockets import INVALID, SERVER_ENDS, close, send
from tracker.serve.worker import ReplacedError

MOST_UNANSWERED = 8
"""Messages that a client may have sent and read no answer to; then nothing more is read from it."""

_ENDING_S = 0.9  # for the last answers


class CameraSession:
    """Conversation over one WebSocket, with a tracking session of its own.

    Reading and answering go on side by side. The newest picture waits for its turn; one that it replaces
    is answered as skipped. Once :data:`MOST_UNANSWERED` are unanswered nothing more is read, so that a client
    that takes no answers costs no memory.
    """

    def __init__(self, socket: WebSocket, tracking: Session, service: Service) -> None:
        self._socket, self._tracking, self._service = socket, tracking, service
        self._answers: asyncio.Queue[tuple[Message, Future[str]] | None] = asyncio.Queue()
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
            self._tracking.close()
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
        """Let each message be tracked; return when the client has left."""
        number, newest_s = 0, -math.inf
        while True:
            await self._places.acquire()
            received = await self._socket.receive()
            if received["type"] == "websocket.disconnect":
                return
            time_s, picture = parse_message(received.get("bytes"))
            message = Message(number, time_s, time.monotonic())
            if time_s < newest_s:
                self._answers.put_nowait(
                    (message, _failed(f"time goes back from {newest_s} s to {time_s} s"))
                )
            else:
                self._answers.put_nowait((message, self._tracking.offer(message, picture)))
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
                if isinstance(error, BackendError | ClusterError):  # the operator must know, too
                    self._service.say(str(error))
                reply = message.reply({"error": str(error)})
            await send(self._socket, reply)
            self._places.release()


def _failed(why: str) -> Future[str]:
    future: Future[str] = Future()
    future.set_exception(TrackerError(f"{why}: connect again for another video"))
    return future
