"""Durations of successive calls of an inference session."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tracker.inference.sessions import Session
from tracker.types import ImageArray


def call_times(session: Session, crops: ImageArray) -> Iterator[float]:
    """Yield the milliseconds of each call on ``crops`` ``(N, 1, 224, 224)``, endlessly."""
    while True:
        started = time.perf_counter()
        session.run(crops)
        yield 1000 * (time.perf_counter() - started)
