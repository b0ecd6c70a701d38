"""Time spent in each stage of a frame."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class StageClock:
    """Adds up the milliseconds of each stage; :data:`tracker.types.STAGES` are their names.

    ``spent_ms`` holds the stages that ran since the last :meth:`restart`.
    """

    def __init__(self) -> None:
        self.spent_ms: dict[str, float] = {}

    def restart(self) -> None:
        """Begin a new frame with an empty ``spent_ms``; the dictionary of the frame before is not changed."""
        self.spent_ms = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of the ``with`` block to the stage ``name``."""
        started = time.perf_counter()
        yield
        spent = 1000 * (time.perf_counter() - started)
        self.spent_ms[name] = self.spent_ms.get(name, 0.0) + spent
