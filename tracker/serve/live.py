"""The server's own camera or film: tracked while somebody watches, the newest picture for everyone."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count

from tracker.drawing.annotate import annotate
from tracker.drawing.anonymise import Anonymiser
from tracker.drawing.style import DrawStyle
from tracker.errors import MisuseError, TrackerError
from tracker.serve.live_source import LiveSource
from tracker.serve.pictures import encode
from tracker.serve.worker import FairWorker, Flow
from tracker.sinks.line_records import line_record
from tracker.system.closing import Closing
from tracker.tracking.opening import OpenedTracker
from tracker.types import Frame, FrameResult

Say = Callable[[str], None]


class LivePicture:
    """A tracked frame that viewers get: its JSON line, and its picture as a JPEG, encoded once for all.

    ``frame`` is anonymised if the server anonymises. ``helpers`` encode. The methods are for the thread of
    the event loop.
    """

    def __init__(self, number: int, frame: Frame, result: FrameResult, helpers: Executor) -> None:
        self.number = number
        self._helpers = helpers
        self.line = json.dumps(line_record(result), ensure_ascii=False, allow_nan=False)
        self._frame, self._result = frame, result
        self._plain: asyncio.Future[bytes] | None = None
        self._drawn: asyncio.Future[bytes] | None = None

    async def plain(self) -> bytes:
        """Return the picture as it is."""
        if self._plain is None:
            self._plain = asyncio.wrap_future(self._helpers.submit(encode, self._frame.image_bgr))
        return await asyncio.shield(self._plain)

    async def drawn(self, style: DrawStyle) -> bytes:
        """Return the picture with its faces in ``style``, which is the same for all viewers."""
        if self._drawn is None:
            self._drawn = asyncio.wrap_future(self._helpers.submit(self._draw, style))
        return await asyncio.shield(self._drawn)

    def _draw(self, style: DrawStyle) -> bytes:
        return encode(annotate(self._frame, self._result, style))


@dataclass(frozen=True)
class LiveTracking:
    """Everything that a live source is tracked with.

    ``worker`` runs the tracking. ``tracker`` gives each video a tracker, ``anonymiser`` an anonymiser, None
    for pictures as they are. ``helpers`` encode the pictures.
    """

    worker: FairWorker
    tracker: OpenedTracker
    anonymiser: Callable[[], Anonymiser | None]
    helpers: Executor


class Live(Closing):
    """Live source that is tracked for the viewers of an event loop; a context manager.

    While somebody watches, a thread takes the newest frames of the source and gives them to the worker of
    ``tracking``. If the source fails, ``say`` gets one line, and viewing ends.
    """

    def __init__(self, source: LiveSource, tracking: LiveTracking, say: Say) -> None:
        self.name, self.image_hw = source.name, source.image_hw
        self._source, self._tracking, self._say = source, tracking, say
        self._flow = Flow()
        self._viewers = 0
        self._watched = threading.Event()
        self._is_closed = False
        self._newest: LivePicture | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()
        self.has_ended = False
        self._thread = threading.Thread(target=self._run, name="live source", daemon=True)

    def start(self) -> None:
        """Begin, for viewers of the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count a viewer until the block ends."""
        self._viewers += 1
        self._watched.set()
        try:
            yield
        finally:
            self._viewers -= 1
            if not (self._viewers or self._is_closed):
                self._watched.clear()
                self._newest = None  # it will be old when somebody watches again

    async def after(self, number: int) -> LivePicture | None:
        """Wait for a picture newer than ``number`` and return the newest; None once the source has ended."""
        while not self.has_ended:
            if self._newest is not None and self._newest.number > number:
                return self._newest
            await self._changed.wait()
        return None

    def close(self) -> None:
        """End the thread and close the source; closing twice is fine."""
        self._is_closed = True
        self._watched.set()
        self._source.close()
        self._tracking.worker.withdraw(self._flow)
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            numbers = count(1)
            for video in self._source.videos():
                self._show_video(video, numbers)
        except (CancelledError, MisuseError):  # the worker has ended
            return
        except TrackerError as error:
            self._say(f"{error}: nothing is shown live any more")
        finally:
            self._publish(None)

    def _show_video(self, video: Iterator[Frame], numbers: Iterator[int]) -> None:
        tracking = self._tracking
        tracker, anonymiser = tracking.tracker.fresh(), tracking.anonymiser()

        def track(frame: Frame) -> LivePicture:
            result = tracker.step(frame)
            shown = anonymiser.hide(frame, result).frame if anonymiser else frame
            return LivePicture(next(numbers), shown, result, tracking.helpers)

        while self._await_viewers() and (frame := next(video, None)) is not None:
            self.image_hw = frame.image_hw  # another file may lie under the name by now
            self._publish(tracking.worker.offer(self._flow, partial(track, frame)).result())

    def _await_viewers(self) -> bool:
        """Wait until somebody watches; False once closed."""
        self._watched.wait()
        return not self._is_closed

    def _publish(self, picture: LivePicture | None) -> None:
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(self._show, picture)
        except RuntimeError:  # the loop has ended, and nobody watches
            return

    def _show(self, picture: LivePicture | None) -> None:
        if picture is None:
            self.has_ended = True
        else:
            self._newest = picture
        before, self._changed = self._changed, asyncio.Event()
        before.set()
