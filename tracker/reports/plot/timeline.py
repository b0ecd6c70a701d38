"""Results as time series per face, for plots and summaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from tracker.errors import ResultsError
from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.value import Scheme
from tracker.sinks.json_lines import FaceLine, ResultLine
from tracker.types import FloatArray

_BREAK = 5.0
"""A step between two frames this many times the median step is a pause of the camera."""

_NAMES = tuple(field.name for field in fields(FaceLine))[1:]


@dataclass(frozen=True, eq=False)
class FaceSeries:
    """Time series of one face.

    ``at`` ``(N,)`` are indices of the timeline's frames that show it. ``values`` has an array ``(N,)`` for
    each number of :class:`~tracker.sinks.json_lines.FaceLine`, NaN where it is unknown. ``starts`` ``(N,)``
    is true where the face was absent in the frame before.
    """

    id: int
    at: npt.NDArray[np.intp]
    values: Mapping[str, FloatArray]
    starts: npt.NDArray[np.bool_]

    @property
    def lost(self) -> int:
        """Number of frames without the face between its first and its last."""
        return int(self.at[-1] - self.at[0]) + 1 - len(self.at)

    @property
    def blink_at(self) -> npt.NDArray[np.intp]:
        """Indices of the frames in which a blink was counted."""
        counts = self.values["blinks"]
        return self.at[1:][np.diff(counts) > 0]

    def mean(self, name: str) -> float | None:
        """Return the mean of a measure over the frames where it is known, or None if it never is."""
        known = self.values[name][~np.isnan(self.values[name])]
        return float(known.mean()) if len(known) else None

    @property
    def eyes(self) -> FloatArray:
        """Mean openness of both eyes ``(N,)``, or of the one that is known: height over width."""
        left, right = self.values["eye_left"], self.values["eye_right"]
        return np.where(np.isnan(left), right, np.where(np.isnan(right), left, (left + right) / 2))


@dataclass(frozen=True, eq=False)
class Timeline:
    """All frames of a video in order, or all of a set of pictures.

    ``times_s`` ``(N,)`` are timestamps in seconds; of pictures the numbers from 1. ``failed`` ``(N,)`` is
    true where a frame could not be read. ``faces`` are in order of id; ids of pictures count the faces in
    each. ``scheme`` is that of their landmarks.
    """

    source: str
    is_video: bool
    times_s: FloatArray
    failed: npt.NDArray[np.bool_]
    faces: tuple[FaceSeries, ...]
    scheme: Scheme = IBUG68

    @property
    def without_face(self) -> int:
        """Number of frames that could be read and show no face."""
        there = np.zeros(len(self.times_s), bool)
        for face in self.faces:
            there[face.at] = True
        return int((~there & ~self.failed).sum())


def timeline(lines: Sequence[ResultLine], where: str) -> Timeline:
    """Return the time series of ``lines``, at least one, of one video or of pictures.

    Errors name the file ``where``. Raises :class:`~tracker.errors.ResultsError` for several videos, and for
    timestamps of a video that decrease.
    """
    sources = {line.source for line in lines}
    is_video = any(line.time_s or line.frame for line in lines)
    if is_video and len(sources) > 1:
        raise ResultsError(
            f"{where}: results of {len(sources)} videos, such as {min(sources)!r}: give one at a time"
        )
    times = np.array([line.time_s for line in lines]) if is_video else np.arange(1.0, len(lines) + 1)
    if (np.diff(times) < 0).any():
        at = int(np.argmax(np.diff(times) < 0)) + 2
        raise ResultsError(f"{where}:{at}: the time goes back: are these results of one run?")
    failed = np.array([line.error is not None for line in lines])
    name = lines[0].source if len(sources) == 1 else f"{len(lines)} pictures"
    scheme = next((line.scheme for line in lines if line.faces and line.scheme), IBUG68)
    return Timeline(name, is_video, times, failed, _faces(lines, times if is_video else None), scheme)


def _faces(lines: Sequence[ResultLine], times_s: FloatArray | None) -> tuple[FaceSeries, ...]:
    seen: dict[int, list[tuple[int, FaceLine]]] = {}
    for at, line in enumerate(lines):
        for face in line.faces:
            seen.setdefault(face.id, []).append((at, face))
    usual_s = float(np.median(np.diff(times_s))) if times_s is not None and len(times_s) > 1 else 0.0
    return tuple(_series(number, seen[number], times_s, _BREAK * usual_s) for number in sorted(seen))


def _series(
    number: int, seen: Sequence[tuple[int, FaceLine]], times_s: FloatArray | None, most_s: float
) -> FaceSeries:
    at = np.array([index for index, _ in seen], np.intp)
    values = {
        name: np.array([getattr(face, name) for _, face in seen], np.float64)  # None becomes NaN
        for name in _NAMES
    }
    starts = np.ones(len(at), bool)
    starts[1:] = np.diff(at) > 1
    if times_s is None:
        starts[:] = True
    elif most_s > 0:
        starts[1:] |= np.diff(times_s[at]) > most_s
    return FaceSeries(number, at, values, starts)
