"""Texts of a plot of results, and its lines: thinned, and broken where a face was lost."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tracker.reports.plot.timeline import FaceSeries, Timeline
from tracker.types import FloatArray

MOST_POINTS = 3000
"""Most points of one line: more than a screen has columns."""


def longest(faces: Sequence[FaceSeries], most: int) -> list[FaceSeries]:
    """Return the ``most`` faces with the most frames, in order of id."""
    kept = sorted(faces, key=lambda face: (-len(face.at), face.id))[:most]
    return sorted(kept, key=lambda face: face.id)


def headline(line: Timeline) -> str:
    """Return one line with the numbers of frames, faces and failures, and the duration."""
    unit = "frame" if line.is_video else "picture"
    parts = [count(len(line.times_s), unit)]
    if line.is_video:
        parts.append(clock(float(line.times_s[-1] - line.times_s[0])))
    parts.append(count(len(line.faces) if line.is_video else sum(len(f.at) for f in line.faces), "face"))
    if line.without_face:
        parts.append(f"{count(line.without_face, unit)} without a face")
    if line.failed.any():
        parts.append(f"{int(line.failed.sum()):,} could not be read")
    return "   ·   ".join(parts)


def displayed(name: str) -> str:
    """Return ``name`` with a replacement character for each one that cannot be printed."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)


def count(number: int, noun: str) -> str:
    """Return a count with its noun: ``1 face`` or ``2,000 faces``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def clock(seconds: float) -> str:
    """Return a duration as ``1:02:03`` or ``2:03``; below a minute as ``3.4 s``."""
    if abs(seconds) < 60:
        return f"{seconds:.1f} s"
    sign, whole = "-" if seconds < 0 else "", round(abs(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{hours}:{minutes:02d}:{rest:02d}" if hours else f"{sign}{minutes}:{rest:02d}"


def thin(x: FloatArray, y: FloatArray, most: int = MOST_POINTS) -> tuple[FloatArray, FloatArray]:
    """Return about ``most`` points of a line with the same outline: each stretch's minimum and maximum.

    A stretch with NaN keeps one, so that the line stays broken there.
    """
    if len(x) <= most:
        return x, y
    kept: list[int] = []
    for stretch in np.array_split(np.arange(len(x)), most // 3):
        known = stretch[~np.isnan(y[stretch])]
        extremes = {int(known[np.argmin(y[known])]), int(known[np.argmax(y[known])])} if len(known) else set()
        breaks = set(stretch[np.isnan(y[stretch])][:1].tolist())
        kept += sorted(extremes | breaks)
    return x[kept], y[kept]


def broken(line: Timeline, face: FaceSeries, *values: FloatArray) -> tuple[FloatArray, list[FloatArray]]:
    """Return times and ``values`` of a face with NaN wherever it returns, so that no line bridges a gap."""
    places = np.flatnonzero(face.starts)[1:]
    times = np.insert(line.times_s[face.at], places, line.times_s[face.at][places])
    return times, [np.insert(series, places, math.nan) for series in values]


def stretches(face: FaceSeries) -> list[tuple[int, int]]:
    """Return the first and last frame of each stretch in which a face is present."""
    first = np.flatnonzero(face.starts)
    last = np.r_[first[1:] - 1, len(face.at) - 1]
    return list(zip(face.at[first].tolist(), face.at[last].tolist(), strict=True))


def frame_step(line: Timeline) -> float:
    """Return the width of a frame on the axis: the median frame duration in seconds; of pictures 0.86."""
    if not line.is_video:
        return 0.86
    steps = np.diff(line.times_s)
    return float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.04


def row_note(line: Timeline, face: FaceSeries) -> str:
    """Return the share of frames that show a face, and the number of frames in between without it."""
    share = f"{100 * len(face.at) / len(line.times_s):.0f} %"
    return f"{share}, {face.lost:,} lost" if line.is_video and face.lost else share


def tick(seconds: float, line: Timeline) -> str:
    """Return the label of a tick on the time axis."""
    if abs(line.times_s[-1]) < 60:
        return f"{seconds:g} s"
    return clock(seconds) if abs(seconds) >= 60 else f"0:{seconds:02.0f}"
