"""Disconnection of clients that take nothing, or never say what they want.

Closing a connection waits until the client has read what was sent before, and so never ends for one that
reads nothing: its place would be taken for good.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol
from weakref import WeakKeyDictionary, ref

_LOOK_S = 0.5


class Connection(Protocol):
    """The part of uvicorn's protocols that is used."""

    transport: asyncio.Transport


@dataclass
class _Seen:
    """State of a connection at the last look, and since when it has been stalled."""

    state: object
    since_s: float


class StalledConnections:
    """Watch over ``connections``, which changes as they come and go.

    One whose unsent data never gets less for ``stalled_s`` seconds is aborted, and so is one without a new
    request for so long.
    """

    def __init__(self, connections: Collection[Connection], stalled_s: float) -> None:
        self._connections, self._stalled_s = connections, stalled_s
        self._seen: WeakKeyDictionary[Connection, _Seen] = WeakKeyDictionary()

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_S)
            self.look(time.monotonic())

    def look(self, now_s: float) -> None:
        """Abort the connections that are stalled at ``now_s`` seconds of a monotonic clock."""
        for connection in list(self._connections):
            state = _stall_state(connection)
            seen = self._seen.get(connection)
            if state is None or seen is None or not _is_as_before(state, seen.state):
                self._seen[connection] = _Seen(state, now_s)
            elif now_s - seen.since_s >= self._stalled_s:
                connection.transport.abort()
            else:
                seen.state = state


def _is_as_before(state: object, before: object) -> bool:
    if isinstance(state, int) and isinstance(before, int):
        return state >= before  # pings of the server make it more
    return state == before


def _stall_state(connection: Connection) -> object:
    """Return what does not change while a connection stalls, None if it does not."""
    unsent = connection.transport.get_write_buffer_size()
    if unsent or connection.transport.is_closing():
        return unsent
    if hasattr(connection, "cycle"):  # of HTTP: the request and its answer
        cycle = connection.cycle
        if cycle is None:
            return "no request"
        return ref(cycle) if cycle.response_complete else None  # not its id, which the next one may have
    return None
