"""Engines of the server: what tracks the pictures of its clients, on this computer or on a cluster."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor, Future
from functools import partial
from typing import Protocol

from tracker.serve.messages import Message
from tracker.serve.models import Models
from tracker.serve.pictures import decode
from tracker.serve.settings import ServerSettings
from tracker.serve.stills import ProcessStills, Stills
from tracker.serve.worker import FairWorker, Flow
from tracker.sinks.line_records import line_record
from tracker.system.closing import Closing
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.opening import SmoothingName
from tracker.types import Frame


class Session(Protocol):
    """Tracking of one client's video; for the thread of the event loop."""

    def offer(self, message: Message, picture: bytes) -> Future[str]:
        """Let ``picture``, an image file, be the next one; return the future answer to ``message``.

        A picture that still waits ends with :class:`~tracker.serve.worker.ReplacedError`. The answer fails
        with a :class:`~tracker.errors.TrackerError` for what is no picture, and where inference fails.
        """

    def close(self) -> None:
        """End the video, and drop the picture that waits; closing twice is fine."""


class Engine(Protocol):
    """Inference for all clients."""

    async def open_session(self, model: str, smoothing: SmoothingName) -> Session:
        """Begin a video.

        Raises :class:`~tracker.errors.TrackerError` if that is not possible; where the model opens elsewhere,
        its errors come with the answers.
        """

    def find(self, model: str, data: bytes) -> Future[str]:
        """Return the future JSON line of the still picture in the image file ``data``.

        It fails with a :class:`~tracker.errors.TrackerError`: a ``SourceError`` for what is no picture.
        """

    def close(self) -> None:
        """End after what is being treated; closing twice is fine."""


class LocalEngine(Closing):
    """Inference on this computer: videos in the thread of ``worker``, still pictures in one of their own.

    With ``settings.workers`` still pictures have so many processes instead. Sessions share the trackers of
    ``models``; ``helpers`` open those that were not used before.
    """

    def __init__(
        self, settings: ServerSettings, models: Models, worker: FairWorker, helpers: Executor
    ) -> None:
        self._models, self._worker, self._helpers = models, worker, helpers
        self._most_pixels = settings.limits.message_pixels
        most = settings.limits.picture_pixels
        self._stills: Stills | ProcessStills = (
            ProcessStills(settings.workers, settings.tracker, most)
            if settings.workers
            else Stills(models, most)
        )

    async def open_session(self, model: str, smoothing: SmoothingName) -> LocalSession:
        """Begin a video on the model named ``model``."""
        tracker = await asyncio.wrap_future(self._helpers.submit(self._models.get, model))
        return LocalSession(tracker.fresh(smoothing), self._worker, self._most_pixels)

    def find(self, model: str, data: bytes) -> Future[str]:
        """Return the future JSON line of a still picture."""
        return self._stills.find(model, data)

    def close(self) -> None:
        """End after the picture that is being treated; closing twice is fine."""
        self._stills.close()


class LocalSession:
    """A video that ``tracker`` tracks in the thread of ``worker``."""

    def __init__(self, tracker: FaceTracker, worker: FairWorker, most_pixels: int) -> None:
        self._tracker, self._worker, self._most_pixels = tracker, worker, most_pixels
        self._flow = Flow()

    def offer(self, message: Message, picture: bytes) -> Future[str]:
        """Let ``picture`` be the next one; return the future answer to ``message``."""
        return self._worker.offer(self._flow, partial(self._track, message, picture))

    def close(self) -> None:
        """Drop the picture that waits; closing twice is fine."""
        self._worker.withdraw(self._flow)

    def _track(self, message: Message, picture: bytes) -> str:
        image = decode(picture, self._most_pixels)
        return message.reply_faces(
            line_record(self._tracker.step(Frame(image, message.number, message.time_s)))
        )
