"""What is measured, and what comes out: plain values that travel between processes as JSON."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.types import STAGES as TRACKER_STAGES

MODES = ("tracking", "detect")
"""``tracking``: the detector rests while all faces are followed. ``detect``: it runs in every frame."""

STAGES = ("total", *TRACKER_STAGES, "decode", "draw")
"""``total`` is frame in memory to landmarks out; ``decode`` (of the video) and ``draw`` come on top."""


@dataclass(frozen=True)
class Setting:
    """One thing to measure: a model on a backend, on a clip. ``precision`` None: the file that suits best.

    ``threads`` 0: one per core, at most 4.
    """

    backend: str
    model: str
    precision: str | None
    threads: int
    clip: str
    faces: int
    frames: int


@dataclass(frozen=True)
class Row:
    """One stage in one mode; milliseconds a frame over the ``frames`` in which it ran."""

    backend: str
    provider: str
    model: str
    precision: str
    threads: int
    width: int
    height: int
    faces: int
    mode: str
    stage: str
    median_ms: float
    p95_ms: float
    p99_ms: float
    fps: float
    frames: int


@dataclass(frozen=True)
class Process:
    """What the process that measured a setting needed: seconds from its start to the first result, once the
    detector and the model had been opened, and its largest resident memory (None where the system does not
    say)."""

    backend: str
    model: str
    precision: str
    threads: int
    width: int
    height: int
    faces: int
    start_s: float
    peak_mb: float | None
