"""Engine of a server whose pictures are tracked on a cluster."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from concurrent.futures import Future
from contextlib import suppress
from typing import Protocol

from tracker.errors import TrackerError
from tracker.serve.cluster.replicas import LostError, Replicas, patiently
from tracker.serve.cluster.session import ClusterSession, Place
from tracker.system.closing import Closing
from tracker.tracking.opening import SmoothingName

_CANDIDATES = 4
_ANSWER_S = 1.0


class OpenReplicas(Replicas, Protocol):
    """Replicas that can be closed."""

    def close(self) -> None:
        """End all replicas; closing twice is fine."""


class ClusterEngine(Closing):
    """Inference by ``replicas``; for the thread of the event loop.

    A new session goes to the replica with the fewest. Which one a session gets follows from its name alone,
    so some names are tried, and the best one is taken (the power of several choices: M. Mitzenmacher, IEEE
    TPDS 12, 2001).
    """

    def __init__(self, replicas: OpenReplicas) -> None:
        self._replicas = replicas
        self._sessions: set[ClusterSession] = set()
        self._leaving: set[asyncio.Task[None]] = set()

    async def open_session(self, model: str, smoothing: SmoothingName) -> ClusterSession:
        """Begin a video on the model named ``model``."""
        place = await patiently(self._best_place)
        session = ClusterSession(self._replicas, place, (model, smoothing), self._forget)
        self._sessions.add(session)
        return session

    def find(self, model: str, data: bytes) -> Future[str]:
        """Return the future JSON line of a still picture."""

        async def ask(_: int) -> str:
            answer = await self._replicas.find(model, data)
            if isinstance(answer, TrackerError):
                raise answer
            return answer

        return asyncio.run_coroutine_threadsafe(patiently(ask), asyncio.get_running_loop())

    def close(self) -> None:
        """End all replicas; closing twice is fine."""
        self._replicas.close()

    async def _best_place(self, _: int) -> Place:
        asked = [asyncio.create_task(self._place(secrets.token_hex(8))) for _ in range(_CANDIDATES)]
        done, late = await asyncio.wait(asked, timeout=_ANSWER_S)
        for task in late:  # a silent replica must not hold up who could go to another one
            task.cancel()
        errors = [error for task in done if (error := task.exception())]
        places = [task.result() for task in done if not task.exception()]
        if not places:
            others = [error for error in errors if not isinstance(error, LostError)]
            raise others[0] if others else LostError("all replicas that were asked are lost or slow")
        taken = Counter(session.place.replica for session in self._sessions)
        return min(places, key=lambda place: taken[place.replica])

    async def _place(self, session: str) -> Place:
        return Place(session, await self._replicas.name(session))

    def _forget(self, session: ClusterSession) -> None:
        if session in self._sessions:
            self._sessions.remove(session)
            task = asyncio.create_task(self._leave(session.place.session))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def _leave(self, session: str) -> None:
        with suppress(LostError, TrackerError):  # it forgets videos by itself, too
            await self._replicas.leave(session)
