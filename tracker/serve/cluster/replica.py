"""Replica of the deployment: trackers on a node of the cluster, for some of the server's clients."""

from __future__ import annotations

import asyncio
import pickle
import socket
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import Any

from tracker.distribution import version
from tracker.errors import ClusterError, TrackerError
from tracker.serve.models import Models
from tracker.serve.pictures import decode
from tracker.serve.settings import Limits
from tracker.serve.stills import Stills
from tracker.serve.worker import FairWorker, Flow, ReplacedError
from tracker.sinks.line_records import LineRecord, line_record
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.opening import SmoothingName, TrackerOptions, keep_opencv_to_one_thread
from tracker.types import Frame


@dataclass(frozen=True)
class ReplicaSettings:
    """Everything that a replica is made of; it must be the same on all nodes.

    ``identity`` is the :func:`identity` of ``options`` where the server runs. The videos that were last used
    are kept, as many as ``limits`` allow connections.
    """

    options: TrackerOptions
    identity: dict[str, Any]
    limits: Limits


@dataclass(frozen=True)
class Step:
    """The next picture of a video: an image file, its number and its time in seconds.

    ``session`` names the video, ``done`` counts its pictures that were tracked before. ``state`` is the
    tracker's after those, pickled; None if the replica should have it.
    """

    session: str
    model: str
    smoothing: SmoothingName
    done: int
    number: int
    time_s: float
    picture: bytes
    state: bytes | None = None


@dataclass(frozen=True)
class Tracked:
    """Faces of a picture, the tracker's pickled state after it, and the replica that tracked it."""

    record: LineRecord
    state: bytes
    replica: str


@dataclass(frozen=True)
class StateWanted:
    """Answer of a replica that does not have the video as far as the step says."""


@dataclass
class _Video:
    tracker: FaceTracker
    done: int
    flow: Flow


class TrackerReplica:
    """Models of one node, and the videos that are tracked on them.

    Videos share one thread fairly, as on a single computer; still pictures have another. A video may arrive
    from another replica, which has died or has it no longer: its state comes with the picture then. Errors
    that a user can cause are returned, not raised, so that they cross the network as they are.

    Raises :class:`~tracker.errors.ClusterError` if the models here are not those of the server.
    """

    def __init__(self, settings: ReplicaSettings, name: str) -> None:
        _check_same(settings)
        keep_opencv_to_one_thread()
        self._settings, self._name = settings, name
        self._models = Models(settings.options)
        self._worker = FairWorker()
        self._stills = Stills(self._models, settings.limits.picture_pixels)
        self._videos: OrderedDict[str, _Video] = OrderedDict()

    async def name(self) -> str:
        """Return the name of this replica."""
        return self._name

    async def step(self, step: Step) -> Tracked | StateWanted | TrackerError:
        """Track the next picture of a video."""
        try:
            video = await self._video(step)
            if video is None:
                return StateWanted()
            job = self._worker.offer(video.flow, partial(self._track, video, step))
            return await asyncio.wrap_future(job)
        except ReplacedError:  # sent twice: the network lost the first answer
            return StateWanted()
        except TrackerError as error:
            return error

    async def find(self, model: str, data: bytes) -> str | TrackerError:
        """Return the JSON line of a still picture."""
        try:
            return await asyncio.wrap_future(self._stills.find(model, data))
        except TrackerError as error:
            return error

    async def leave(self, session: str) -> None:
        """Forget a video."""
        self._videos.pop(session, None)

    def close(self) -> None:
        """End the threads and close the models."""
        self._worker.close()
        self._stills.close()
        self._models.close()

    async def _video(self, step: Step) -> _Video | None:
        """Return the video of ``step`` as far as it was tracked, None if it is not known."""
        video = self._videos.get(step.session)
        if video is None or video.done != step.done:
            if step.state is None and step.done:
                return None
            tracker = await asyncio.to_thread(self._models.get, step.model)
            video = _Video(tracker.fresh(step.smoothing), step.done, Flow())
            if step.state is not None:
                video.tracker.restore(pickle.loads(step.state))
            self._videos[step.session] = video
        self._videos.move_to_end(step.session)
        while len(self._videos) > self._settings.limits.connections:
            self._videos.popitem(last=False)
        return video

    def _track(self, video: _Video, step: Step) -> Tracked | StateWanted:
        if video.done != step.done:  # the step came twice, and the first one has been tracked since
            return StateWanted()
        image = decode(step.picture, self._settings.limits.message_pixels)
        result = video.tracker.step(Frame(image, step.number, step.time_s))
        video.done += 1
        return Tracked(line_record(result), pickle.dumps(video.tracker.state()), self._name)


def identity(options: TrackerOptions) -> dict[str, Any]:
    """Return what results depend on here: the options, the hashes of the models, and the version."""
    return {"version": version(), **options.identity()}


def _check_same(settings: ReplicaSettings) -> None:
    here = identity(settings.options)
    if differing := [name for name, value in settings.identity.items() if here.get(name) != value]:
        raise ClusterError(
            f"{', '.join(differing)} on {socket.gethostname()} differ from those of the server: install the "
            "same version of tracker on all nodes"
        )
