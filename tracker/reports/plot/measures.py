"""Measures shown in a plot of results: their titles, series and value ranges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tracker.reports.plot.timeline import FaceSeries, Timeline
from tracker.scheme.ibug68 import IBUG68
from tracker.types import FloatArray


@dataclass(frozen=True)
class Measure:
    """A panel of the plot: ``low`` and ``high`` are always within its range; height in inches."""

    title: str
    series: Callable[[FaceSeries], FloatArray]
    low: float
    high: float
    inches: float = 1.0


EYES = Measure("eyes open: height over width", lambda face: face.eyes, 0.0, 0.4, 1.3)
SCORE = Measure("score", lambda face: face.values["score"], 0.0, 1.0)
MEASURES = (
    Measure(
        "head: yaw in degrees, towards the right of the image", lambda face: face.values["yaw_deg"], -20, 20
    ),
    Measure("head: pitch in degrees, upwards", lambda face: face.values["pitch_deg"], -20, 20),
    Measure("head: roll in degrees, clockwise", lambda face: face.values["roll_deg"], -20, 20),
    EYES,
    Measure("mouth open: height over width of the inner lips", lambda face: face.values["mouth"], 0.0, 0.3),
    SCORE,
)
"""The panels from top to bottom."""


def measures_of(line: Timeline) -> tuple[Measure, ...]:
    """Return the panels for ``line``: of schemes other than iBUG's, only those that have values."""
    if line.scheme == IBUG68:
        return MEASURES
    return tuple(m for m in MEASURES if any((~np.isnan(m.series(face))).any() for face in line.faces))


def value_range(measure: Measure, faces: Sequence[FaceSeries]) -> tuple[float, float]:
    """Return the lower and upper limit of the axis: all values and the measure's own range, with margins."""
    values = np.concatenate([measure.series(face) for face in faces]) if faces else np.empty(0)
    known = values[~np.isnan(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    low, high = min(low, measure.low), max(high, measure.high)
    margin = 0.06 * (high - low)
    return low - margin, high + (3 * margin if measure is EYES else margin)  # blinks are marked above


def panel_title(measure: Measure, line: Timeline, faces: Sequence[FaceSeries]) -> str:
    """Return the title of a panel of ``faces``: what it shows, and how many others it does not show."""
    others = len(line.faces) - len(faces)
    return _content(measure, line, faces) + (f"; without {others} faces seen for less long" if others else "")


def _content(measure: Measure, line: Timeline, faces: Sequence[FaceSeries]) -> str:
    """Return the title of a measure with what else its panel shows: blinks, or the quality of the points."""
    if measure is EYES and (blinks := sum(len(face.blink_at) for face in faces)):
        return f"{measure.title}; ▾ {blinks:,} blink{'' if blinks == 1 else 's'}"
    if measure is SCORE and any(face.mean("quality") is not None for face in faces):
        return f"score and, {'dashed' if line.is_video else 'hollow'}, mean quality of the points"
    return measure.title
