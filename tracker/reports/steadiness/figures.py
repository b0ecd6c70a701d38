"""Pure measures of tracks: points ``(T, 68, 2)`` in frame pixels at times ``(T,)`` in seconds.

Per cent are of the distance between the outer eye corners where nothing else is said.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tracker.scheme import OUTER_EYE_CORNERS
from tracker.tracking.smoothing import OneEuro, PointFilter, fit_similarity
from tracker.types import FloatArray

FAST_HZ = 5.0
"""Heads move slower than this nearly all the time; what is faster is mostly noise."""

FEWEST_FRAMES = 32
"""Of which fast motion can be told from slow."""

_LONGEST_LAG_S = 0.3
_LAG_STEPS = 61


def smoothed(track: FloatArray, times_s: FloatArray, settings: OneEuro | None) -> FloatArray:
    """``track`` as the tracker reports it with ``settings`` (None: as it is)."""
    if settings is None:
        return track
    smooth = PointFilter(settings)
    return np.stack([smooth(points, float(time_s)) for points, time_s in zip(track, times_s, strict=True)])


def inter_ocular_px(track: FloatArray) -> float:
    """Mean distance of the outer eye corners in pixels."""
    left, right = OUTER_EYE_CORNERS
    return float(np.linalg.norm(track[:, left] - track[:, right], axis=-1).mean())


def jitter_percent(track: FloatArray) -> FloatArray:
    """``(68,)``: how far each point strays from its mean place, root mean square, of a face at rest.

    Of x and y together: 1.41 times the standard deviation of one of them where both are alike.
    """
    apart = track - track.mean(axis=0)
    return np.asarray(100 * np.sqrt((apart**2).sum(axis=-1).mean(axis=0)) / inter_ocular_px(track))


def error_percent(track: FloatArray, truth: FloatArray) -> float:
    """Mean distance of the points from ``truth`` ``(T, 68, 2)``."""
    return float(100 * np.linalg.norm(track - truth, axis=-1).mean() / inter_ocular_px(truth))


def lag_s(track: FloatArray, times_s: FloatArray, truth_at: Callable[[FloatArray], FloatArray]) -> float:
    """By how many seconds ``track`` comes after the truth: the delay of it with the least squared distance.

    ``truth_at`` gives the true points ``(T, 68, 2)`` at any times ``(T,)``, so nothing is interpolated
    between frames. Looked for up to 0.3 s either way.
    """
    delays = np.linspace(-_LONGEST_LAG_S, _LONGEST_LAG_S, _LAG_STEPS)
    costs = np.array([((track - truth_at(times_s - delay)) ** 2).sum() for delay in delays])
    nearest = int(np.clip(costs.argmin(), 1, len(delays) - 2))
    # Near its least value the cost is a parabola, of which three points tell the bottom.
    curve, slope, _ = np.polyfit([-1, 0, 1], costs[nearest - 1 : nearest + 2], 2)
    return float(delays[nearest] - slope / (2 * curve) * (delays[1] - delays[0]))


def kept_percent(before: FloatArray, after: FloatArray) -> float:
    """How much of the range of a measure ``before`` smoothing is left ``after`` it, per cent."""
    return float(100 * np.ptp(after) / np.ptp(before))


def apart_from_head(track: FloatArray) -> tuple[FloatArray, FloatArray]:
    """``track`` taken apart, both ``(T, 68, 2)``: the first frame's points carried by the motion of the head,
    and all points with that motion (the similarity that fits best) undone."""
    points = track[..., 0] + 1j * track[..., 1]
    even = np.ones(points.shape[1])
    fits = [fit_similarity(points[0], now, even) for now in points]
    carried = np.array([factor * points[0] + shift for factor, shift in fits])
    undone = np.array([(now - shift) / factor for now, (factor, shift) in zip(points, fits, strict=True)])
    return _pairs(carried), _pairs(undone)


def fast_percent(track: FloatArray, times_s: FloatArray) -> float:
    """Root of the mean energy of the motion above :data:`FAST_HZ`, over all points.

    By the Fourier transform of each coordinate under a Hann window, at the middle of the frames' distances in
    time. Raises ``ValueError`` for fewer than :data:`FEWEST_FRAMES` and for too slow a video.
    """
    step_s = float(np.median(np.diff(times_s))) if len(track) >= FEWEST_FRAMES else np.inf
    if 1 / step_s <= 2 * FAST_HZ:
        raise ValueError(f"{FEWEST_FRAMES} frames at more than {2 * FAST_HZ:g} a second are needed")
    window = np.hanning(len(track))
    spectrum = np.fft.rfft((track - track.mean(axis=0)) * window[:, None, None], axis=0)
    fast = np.fft.rfftfreq(len(track), step_s) > FAST_HZ
    energy = 2 * (np.abs(spectrum[fast]) ** 2).sum(axis=(0, 2)) / (len(track) * (window**2).sum())
    return float(100 * np.sqrt(energy.mean()) / inter_ocular_px(track))


def _pairs(points: np.ndarray) -> FloatArray:
    return np.stack([points.real, points.imag], axis=-1)
