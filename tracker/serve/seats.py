"""Limits on what goes on at once: connections, and bytes of the pictures being treated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class FullError(Exception):
    """Too few seats are free."""


class Seats:
    """At most ``count`` seats, which are called ``name`` when they are all taken; for one thread."""

    def __init__(self, count: int, name: str) -> None:
        self.count, self.name = count, name
        self.taken = 0

    @contextmanager
    def take(self, count: int = 1) -> Iterator[None]:
        """Take seats until the block ends; raises :class:`FullError` if there are not so many."""
        if self.taken + count > self.count:
            raise FullError(f"all {self.name} of this server are taken: try again later")
        self.taken += count
        try:
            yield
        finally:
            self.taken -= count
