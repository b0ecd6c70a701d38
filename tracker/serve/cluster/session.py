"""Session of one client on the cluster: its pictures go to one replica, and on to another if that dies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace

from tracker.errors import TrackerError
from tracker.serve.cluster.replica import Step, Tracked
from tracker.serve.cluster.replicas import LostError, Replicas, patiently
from tracker.serve.messages import Message
from tracker.serve.worker import ReplacedError
from tracker.tracking.opening import SmoothingName


@dataclass(frozen=True)
class Place:
    """Name of a session, and of the replica that has it."""

    session: str
    replica: str


@dataclass(frozen=True)
class _Job:
    message: Message
    picture: bytes
    future: Future[str]


class ClusterSession:
    """A video that is tracked by the replica at ``place``, one picture at a time.

    The state of the tracker comes back with each answer. If the replica is lost, or has forgotten the video,
    state and picture go to the next one, so that faces keep their ids, and each picture is tracked once.
    ``on_close`` is called at the end.
    """

    def __init__(
        self,
        replicas: Replicas,
        place: Place,
        choices: tuple[str, SmoothingName],
        on_close: Callable[[ClusterSession], None],
    ) -> None:
        self.place = place
        self._replicas, self._on_close = replicas, on_close
        self._model, self._smoothing = choices
        self._done = 0
        self._state: bytes | None = None
        self._waiting: _Job | None = None
        self._running: asyncio.Task[None] | None = None

    def offer(self, message: Message, picture: bytes) -> Future[str]:
        """Let ``picture`` be the next one; return the future answer to ``message``."""
        job = _Job(message, picture, Future())
        replaced, self._waiting = self._waiting, job
        if replaced is not None and replaced.future.set_running_or_notify_cancel():
            replaced.future.set_exception(ReplacedError())
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return job.future

    def close(self) -> None:
        """Drop the pictures that are under way; closing twice is fine."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.future.cancel()
        if self._running is not None:
            self._running.cancel()
        self._on_close(self)

    async def _run(self) -> None:
        """Track what waits until nothing does."""
        while (job := self._waiting) is not None:
            self._waiting = None
            if not job.future.set_running_or_notify_cancel():
                continue
            try:
                job.future.set_result(await self._track(job.message, job.picture))
            except asyncio.CancelledError:
                job.future.set_exception(LostError("the session has ended"))
                raise
            except Exception as error:  # noqa: BLE001 - raised again where the answer is used
                job.future.set_exception(error)
        self._running = None

    async def _track(self, message: Message, picture: bytes) -> str:
        step = Step(
            self.place.session,
            self._model,
            self._smoothing,
            self._done,
            message.number,
            message.time_s,
            picture,
        )

        async def ask(attempt: int) -> Tracked:
            answer = await self._replicas.step(replace(step, state=self._state) if attempt else step)
            if isinstance(answer, TrackerError):
                raise answer
            if isinstance(answer, Tracked):
                return answer
            raise LostError("a replica has forgotten the video")

        answer = await patiently(ask)
        self._done, self._state = self._done + 1, answer.state
        self.place = replace(self.place, replica=answer.replica)
        return message.reply_faces(answer.record)
