"""Time spent in each stage of a frame."""

from __future__ import annotations

import time


class StageClock:
    """Adds up the milliseconds of each stage; :data:`tracker.types.STAGES` are their names.

    ``spent_ms`` holds the stages that ran since the last :meth:`restart`.
    """

    def __init__(self) -> None:
        self.spent_ms: dict[str, float] = {}

    def restart(self) -> None:
        """Begin a new frame with an empty ``spent_ms``; the dictionary of the frame before is not changed."""
        self.spent_ms = {}

    def stage(self, name: str) -> _Stage:
        """Return a context manager that adds the time of its ``with`` block to the stage ``name``."""
        return _Stage(self.spent_ms, name)


class _Stage:
    """A ``with`` block that is timed; a generator's takes twice as long, and there are six a frame."""

    def __init__(self, spent_ms: dict[str, float], name: str) -> None:
        self._spent_ms, self._name = spent_ms, name

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(self, *error: object) -> None:
        spent = 1000 * (time.perf_counter() - self._started)
        self._spent_ms[self._name] = self._spent_ms.get(self._name, 0.0) + spent
