"""Replicas of the cluster's deployment that live in the test's own process, and may be killed."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Sequence

from tests.batches import LIGHT
from tests.cache import Trackers
from tests.serving import encoded
from tracker.errors import TrackerError
from tracker.reports.bench.clip import portrait_frames
from tracker.serve.cluster.replica import (
    ReplicaSettings,
    StateWanted,
    Step,
    Tracked,
    TrackerReplica,
    identity,
)
from tracker.serve.cluster.replicas import LostError
from tracker.serve.pictures import decode
from tracker.serve.settings import Limits
from tracker.sinks.line_records import LineRecord, line_record
from tracker.system.closing import Closing
from tracker.types import Frame


def film(count: int) -> list[bytes]:
    """Return pictures of two drifting portraits, as JPEGs."""
    return [encoded(frame.image_bgr) for frame in portrait_frames(count, (320, 240), 2)]


def local_records(trackers: Trackers, pictures: Sequence[bytes]) -> list[LineRecord]:
    """Return what one tracker of this computer finds in ``pictures``, which are 1/30 s apart."""
    tracker = trackers.fresh()
    images = [decode(picture, SETTINGS.limits.message_pixels) for picture in pictures]
    return [line_record(tracker.step(Frame(image, i, i / 30))) for i, image in enumerate(images)]


SETTINGS = ReplicaSettings(LIGHT, identity(LIGHT), Limits(connections=8))


class FakeReplicas(Closing):
    """Replicas ``r0``, ``r1``, ...: a session belongs to one by the hash of its name, as on a cluster.

    ``lost_calls`` are the numbers of calls of :meth:`step` that fail although they did their work: the
    network lost the answer; ``lose_finds`` more calls of :meth:`find` fail. The replica named ``silent`` does
    not tell its name. ``steps`` notes which replica got which step.
    """

    def __init__(self, count: int = 2, lost_calls: tuple[int, ...] = ()) -> None:
        self.alive = {f"r{i}": TrackerReplica(SETTINGS, f"r{i}") for i in range(count)}
        self.steps: list[tuple[str, Step]] = []
        self.left: list[str] = []
        self.lose_finds = 0
        self.silent = ""
        self._lost_calls = lost_calls
        self._dead: list[TrackerReplica] = []

    def kill(self, name: str) -> None:
        """Let a replica die with all that it knows."""
        self._dead.append(self.alive.pop(name))

    def join(self) -> None:
        """Add a replica, to which some sessions belong from now on."""
        name = f"r{len(self.alive) + len(self._dead)}"
        self.alive[name] = TrackerReplica(SETTINGS, name)

    def owner(self, session: str) -> TrackerReplica:
        """Return the replica of ``session``."""
        names = sorted(self.alive)
        if not names:
            raise LostError("no replica is alive")
        return self.alive[names[zlib.crc32(session.encode()) % len(names)]]

    async def name(self, session: str) -> str:
        """Return the name of the replica of ``session``."""
        name = await self.owner(session).name()
        while name == self.silent:
            await asyncio.sleep(0.01)
        return name

    async def step(self, step: Step) -> Tracked | StateWanted | TrackerError:
        """Track the next picture of a video."""
        replica = self.owner(step.session)
        self.steps.append((await replica.name(), step))
        answer = await replica.step(step)
        if len(self.steps) - 1 in self._lost_calls:
            raise LostError("the answer was lost")
        return answer

    async def find(self, model: str, data: bytes) -> str | TrackerError:
        """Return the JSON line of a still picture."""
        if self.lose_finds:
            self.lose_finds -= 1
            raise LostError("the answer was lost")
        return await self.owner("").find(model, data)

    async def leave(self, session: str) -> None:
        """Forget a video."""
        self.left.append(session)
        await self.owner(session).leave(session)

    def close(self) -> None:
        """End the threads of all, dead or alive."""
        for replica in (*self.alive.values(), *self._dead):
            replica.close()
