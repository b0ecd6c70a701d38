"""Cases and measurements of the benchmark: plain values that pass between processes as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tracker import types

MODES = ("tracking", "detect")
"""``tracking``: the detector rests while all faces are followed. ``detect``: it runs in every frame."""

PARTS = (*types.STAGES, "other")
"""Parts of ``total``, whose means add up to its mean; ``other`` is the time outside the tracking stages."""

STAGES = ("total", *PARTS, "decode", "draw")
"""``total`` is from the frame in memory to its landmarks; ``decode`` and ``draw`` are not part of it."""


def counted(count: int, noun: str) -> str:
    """Return ``count`` with the noun, in the plural unless it is one."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


@dataclass(frozen=True)
class BenchGrid:
    """Values to measure, in every combination.

    ``precisions`` None is the file that suits this computer best, ``threads`` 0 one per core, at most 4.
    ``sizes`` are (width, height) in pixels. With ``video`` that file is the clip, ``sizes`` are ignored, and
    ``faces`` limits how many are tracked. ``under_load`` measures on a busy computer as well.
    """

    backends: tuple[str, ...] = ("auto",)
    models: tuple[str, ...] = ("resnet18",)
    precisions: tuple[str | None, ...] = (None,)
    threads: tuple[int, ...] = (0,)
    sizes: tuple[tuple[int, int], ...] = ((640, 480),)
    faces: tuple[int, ...] = (1,)
    frames: int = 300
    video: Path | None = None
    under_load: bool = False


@dataclass(frozen=True)
class BenchCase:
    """One case to measure: a model on a backend, on a clip.

    ``precision`` None is the file that suits this computer best; ``threads`` 0 is one per core, at most 4.
    """

    backend: str
    model: str
    precision: str | None
    threads: int
    clip: str
    faces: int
    frames: int


@dataclass(frozen=True)
class StageTiming:
    """Duration of one stage in one mode, in milliseconds per frame.

    Percentiles are over the ``frames`` in which it ran; ``fps`` follows from the median. ``mean_ms`` is over
    all frames: it counts 0 where the stage did not run, so that the means of :data:`PARTS` add up to that of
    ``total``.
    """

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
    mean_ms: float
    fps: float
    frames: int

    @property
    def label(self) -> str:
        """Model, precision and runtime, such as ``resnet18 int8, CPU``."""
        return f"{self.model} {self.precision}, {self.provider.removesuffix('ExecutionProvider')}"


@dataclass(frozen=True)
class ProcessCost:
    """Start-up time and memory of the process that measured a case.

    ``start_s`` is the time from its start to the first result, with detector and model opened; ``peak_mb``
    the largest resident memory in units of 10**6 bytes, or None on systems that do not report it.
    """

    backend: str
    model: str
    precision: str
    threads: int
    width: int
    height: int
    faces: int
    start_s: float
    peak_mb: float | None


@dataclass(frozen=True)
class BenchResults:
    """All measurements: the timing of every stage, and the cost of every process."""

    timings: list[StageTiming] = field(default_factory=list)
    processes: list[ProcessCost] = field(default_factory=list)
