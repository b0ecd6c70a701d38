"""Jitter, lag and error of tracks: points ``(T, P, 2)`` of iBUG in frame pixels at times ``(T,)`` in seconds.

Percentages are relative to the distance between the outer eye corners unless stated otherwise.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tracker.scheme.ibug68 import OUTER_EYE_CORNERS
from tracker.tracking.smoothing import OneEuro, PointFilter, fit_similarity
from tracker.types import FloatArray

FAST_HZ = 5.0
"""Frequency above which motion counts as fast: heads rarely move faster, so it is mostly noise."""

FEWEST_FRAMES = 32
"""Fewest frames in which fast motion can be told from slow."""

_LONGEST_LAG_S = 0.3
_LAG_STEPS = 61


def smoothed(track: FloatArray, times_s: FloatArray, settings: OneEuro | None) -> FloatArray:
    """Return ``track`` filtered as the tracker does with ``settings``; None is no smoothing."""
    if settings is None:
        return track
    smooth = PointFilter(settings)
    return np.stack([smooth(points, float(time_s)) for points, time_s in zip(track, times_s, strict=True)])


def inter_ocular_px(track: FloatArray) -> float:
    """Return the mean distance of the outer eye corners in pixels."""
    left, right = OUTER_EYE_CORNERS
    return float(np.linalg.norm(track[:, left] - track[:, right], axis=-1).mean())


def jitter_percent(track: FloatArray) -> FloatArray:
    """Return the RMS distance of each point from its mean position, per cent ``(P,)``, for a face at rest.

    It covers x and y together: 1.41 times the standard deviation of one of them where both are equal.
    """
    offsets = track - track.mean(axis=0)
    return np.asarray(100 * np.sqrt((offsets**2).sum(axis=-1).mean(axis=0)) / inter_ocular_px(track))


def error_percent(track: FloatArray, truth: FloatArray) -> float:
    """Return the mean distance of the points from ``truth`` ``(T, P, 2)``, per cent."""
    return float(100 * np.linalg.norm(track - truth, axis=-1).mean() / inter_ocular_px(truth))


def lag_s(track: FloatArray, times_s: FloatArray, truth_at: Callable[[FloatArray], FloatArray]) -> float:
    """Return the delay of ``track`` in seconds: that of the truth with the least squared distance to it.

    ``truth_at`` returns the true points ``(T, P, 2)`` at any times ``(T,)``, so nothing is interpolated
    between frames. Delays up to 0.3 s in either direction are tried.
    """
    delays = np.linspace(-_LONGEST_LAG_S, _LONGEST_LAG_S, _LAG_STEPS)
    costs = np.array([((track - truth_at(times_s - delay)) ** 2).sum() for delay in delays])
    nearest = int(np.clip(costs.argmin(), 1, len(delays) - 2))
    # Near its minimum the cost is a parabola, which three points determine.
    curve, slope, _ = np.polyfit([-1, 0, 1], costs[nearest - 1 : nearest + 2], 2)
    return float(delays[nearest] - slope / (2 * curve) * (delays[1] - delays[0]))


def kept_percent(before: FloatArray, after: FloatArray) -> float:
    """Return the range of a measure ``after`` smoothing in per cent of its range ``before``."""
    return float(100 * np.ptp(after) / np.ptp(before))


def split_head_motion(track: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Separate the motion of the head from that of the points; return two tracks ``(T, P, 2)``.

    The first holds the first frame's points moved by the head, which is the similarity transform that fits
    best in each frame. The second holds all points with that motion undone.
    """
    points = track[..., 0] + 1j * track[..., 1]
    weights = np.ones(points.shape[1])
    fits = [fit_similarity(points[0], now, weights) for now in points]
    carried = np.array([factor * points[0] + shift for factor, shift in fits])
    undone = np.array([(now - shift) / factor for now, (factor, shift) in zip(points, fits, strict=True)])
    return _pairs(carried), _pairs(undone)


def fast_percent(track: FloatArray, times_s: FloatArray) -> float:
    """Return the RMS amplitude of the motion above :data:`FAST_HZ` over all points, per cent.

    Method: Fourier transform of each coordinate under a Hann window, at the median frame duration. Raises
    ``ValueError`` for fewer than :data:`FEWEST_FRAMES` frames and for too low a frame rate.
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
