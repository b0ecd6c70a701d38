"""Limit on what goes on at once: sockets, streams, and pictures being treated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class FullError(Exception):
    """All seats are taken."""


class Seats:
    """At most ``count`` seats; for one thread."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.taken = 0

    @contextmanager
    def take(self) -> Iterator[None]:
        """Take a seat until the block ends; raises :class:`FullError` if none is free."""
        if self.taken >= self.count:
            raise FullError(f"all {self.count} connections of this server are taken: try again later")
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
