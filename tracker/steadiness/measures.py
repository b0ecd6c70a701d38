"""Pure measures on tracks: points ``(T, 68, 2)`` in frame pixels at times ``(T,)`` in seconds."""

from __future__ import annotations

import numpy as np

from tracker.scheme import OUTER_EYE_CORNERS, PARTS
from tracker.smoothing import OneEuro, PointFilter
from tracker.types import FloatArray

FAST_HZ = 5.0
"""Heads and lips move slower than this nearly all the time; what is faster is mostly noise."""

_FINEST = 0.01
"""Frames: how finely a lag is told."""


def smoothed(track: FloatArray, times_s: FloatArray, settings: OneEuro | None) -> FloatArray:
    """``track`` as the tracker would report it with ``settings`` (None: as it is)."""
    if settings is None:
        return track
    smooth = PointFilter(settings)
    return np.stack([smooth(points, float(time_s)) for points, time_s in zip(track, times_s, strict=True)])


def inter_ocular_px(track: FloatArray) -> float:
    """Mean distance of the outer eye corners in pixels."""
    left, right = OUTER_EYE_CORNERS
    return float(np.linalg.norm(track[:, left] - track[:, right], axis=-1).mean())


def jitter_percent(track: FloatArray) -> FloatArray:
    """``(68,)``: standard deviation of each point around its mean place, in per cent inter-ocular.

    Of both coordinates together: the root of the mean squared distance. For a face that does not move.
    """
    apart = track - track.mean(axis=0)
    deviation = np.sqrt((apart**2).sum(axis=-1).mean(axis=0))
    return np.asarray(100 * deviation / inter_ocular_px(track))


def lag_frames(track: FloatArray, truth: FloatArray, longest: float = 6.0) -> float:
    """By how many frames the motion of ``track`` comes after that of ``truth``, to a hundredth of a frame.

    Both ``(T, 68, 2)`` at a steady rate. The motion is that of the mean point; the lag is the delay of the
    truth, linear between frames, that leaves the least squared distance beside one that does not change.
    """
    seen, true = track.mean(axis=1), truth.mean(axis=1)
    frames = np.arange(len(true), dtype=float)
    inner = slice(int(longest) + 1, None)  # a delayed truth says nothing of its first frames

    def cost(lag: float) -> float:
        delayed = np.column_stack([np.interp(frames - lag, frames, true[:, axis]) for axis in (0, 1)])
        return float((seen - delayed)[inner].var(axis=0).sum())

    lags = np.arange(-1.0, longest + _FINEST / 2, _FINEST)
    return float(lags[np.argmin([cost(lag) for lag in lags])])


def error_percent(track: FloatArray, truth: FloatArray) -> float:
    """Mean distance of the points from ``truth`` in per cent inter-ocular."""
    distance = np.linalg.norm(track - truth, axis=-1).mean()
    return float(100 * distance / inter_ocular_px(truth))


def kept_percent(before: FloatArray, after: FloatArray) -> float:
    """How much of the range of a measure ``before`` smoothing is left ``after`` it, in per cent."""
    return float(100 * np.ptp(after) / np.ptp(before))


def eye_opening(track: FloatArray) -> FloatArray:
    """``(T,)``: mean distance of upper and lower lids of both eyes, in pixels."""
    gaps = []
    for eye in ("left_eye", "right_eye"):
        _, upper1, upper2, _, lower2, lower1 = PARTS[eye]
        gaps += [track[:, upper1] - track[:, lower1], track[:, upper2] - track[:, lower2]]
    return np.asarray(np.linalg.norm(gaps, axis=-1).mean(axis=0))


def mouth_opening(track: FloatArray) -> FloatArray:
    """``(T,)``: distance of the middles of the inner lips, in pixels."""
    lip = PARTS["inner_lip"]
    return np.asarray(np.linalg.norm(track[:, lip[2]] - track[:, lip[6]], axis=-1))


def fast_motion_percent(track: FloatArray, times_s: FloatArray) -> float:
    """Root mean square of the motion above :data:`FAST_HZ`, in per cent inter-ocular.

    Frames are taken to be evenly spaced, at their mean rate. Raises ``ValueError`` for fewer than 16 frames.
    """
    if len(track) < 16:
        raise ValueError(f"16 frames are needed to tell fast motion from slow, got {len(track)}")
    rate_hz = (len(times_s) - 1) / float(times_s[-1] - times_s[0])
    # Without the line from the first frame to the last: their difference would look like all frequencies.
    steps = np.linspace(0, 1, len(track))[:, None, None]
    level = track - (track[0] + steps * (track[-1] - track[0]))
    spectrum = np.fft.rfft(level, axis=0)
    spectrum[np.fft.rfftfreq(len(track), 1 / rate_hz) <= FAST_HZ] = 0
    fast = np.fft.irfft(spectrum, n=len(track), axis=0)
    return float(100 * np.sqrt((fast**2).sum(axis=-1).mean()) / inter_ocular_px(track))
