"""Replicas of the deployment as the server sees them, and patience with those that die."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from tracker.errors import ClusterError, TrackerError
from tracker.serve.cluster.replica import StateWanted, Step, Tracked

T = TypeVar("T")

PATIENCE_S = 60.0
"""Seconds for which lost replicas are waited for: Ray Serve gives up a silent node after some 20."""

_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 1.0


class LostError(Exception):
    """A replica died, or does not answer."""


class Replicas(Protocol):
    """Calls of the replicas: all with the same session go to the same one, until it dies or another joins.

    Each raises :class:`LostError` if the replica is lost before it has answered.
    """

    async def name(self, session: str) -> str:
        """Return the name of the replica of ``session``."""

    async def step(self, step: Step) -> Tracked | StateWanted | TrackerError:
        """Track the next picture of a video."""

    async def find(self, model: str, data: bytes) -> str | TrackerError:
        """Return the JSON line of a still picture."""

    async def leave(self, session: str) -> None:
        """Forget a video."""


async def patiently(call: Callable[[int], Awaitable[T]], patience_s: float = PATIENCE_S) -> T:
    """Return the result of ``call(attempt)``, with attempts 0, 1, ... as long as replicas are lost.

    Raises :class:`~tracker.errors.ClusterError` once ``patience_s`` have passed, and what ``call`` raises.
    """
    end_s = time.monotonic() + patience_s
    pause_s, attempt = _FIRST_PAUSE_S, 0
    while True:
        try:
            return await call(attempt)
        except LostError as error:
            if time.monotonic() + pause_s > end_s:
                raise ClusterError(
                    f"no tracker of the cluster answers ({error}): see `serve status`"
                ) from error
        await asyncio.sleep(pause_s)
        pause_s, attempt = min(2 * pause_s, _LONGEST_PAUSE_S), attempt + 1
