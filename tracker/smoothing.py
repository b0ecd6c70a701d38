"""The One-Euro filter on landmarks, in face sizes per second.

G. Casiez, N. Roussel, D. Vogel, "1 Euro Filter: A Simple Speed-based Low-pass Filter for Noisy Input
in Interactive Systems", CHI 2012. Speed is measured per point, in face sizes, so that one setting
suits a near face and a far one, and in true seconds, so that it suits any frame rate.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from tracker.types import FloatArray


@dataclass(frozen=True)
class OneEuro:
    """Settings: cut-off in hertz at rest, how much it rises per face size per second, and the
    cut-off of the speed estimate in hertz."""

    rest_hz: float
    hz_per_speed: float
    speed_hz: float = 4.0

    def __post_init__(self) -> None:
        if self.rest_hz <= 0 or self.hz_per_speed < 0 or self.speed_hz <= 0:
            raise ValueError(f"a One-Euro filter needs positive cut-offs, got {self}")


PRESETS: Mapping[str, OneEuro | None] = MappingProxyType(
    {"off": None, "low": OneEuro(3.0, 40.0), "high": OneEuro(1.0, 20.0)}
)
"""What ``--smoothing`` offers."""


class PointFilter:
    """Filters the points of one face from frame to frame."""

    def __init__(self, settings: OneEuro) -> None:
        self._settings = settings
        self._time_s: float | None = None
        self._points: FloatArray = np.empty(0)
        self._velocity: FloatArray = np.empty(0)

    def __call__(self, points: FloatArray, time_s: float) -> FloatArray:
        """Smoothed ``points`` ``(N, 2)`` in pixels, seen at ``time_s``.

        The first call, and one whose time does not advance, returns the points as they are.
        """
        elapsed = 0.0 if self._time_s is None else time_s - self._time_s
        if elapsed <= 0:
            self._velocity = np.zeros(points.shape)
            smoothed: FloatArray = np.array(points, np.float64)
        else:
            smoothed = self._advance(points, elapsed)
        self._time_s, self._points = time_s, smoothed
        return smoothed

    def _advance(self, points: FloatArray, elapsed: float) -> FloatArray:
        settings = self._settings
        size = float(np.ptp(points, axis=0).max()) or 1.0
        velocity = (points - self._points) / (elapsed * size)
        self._velocity += _gain(settings.speed_hz, elapsed) * (velocity - self._velocity)
        speed = np.linalg.norm(self._velocity, axis=1, keepdims=True)
        gain = _gain(settings.rest_hz + settings.hz_per_speed * speed, elapsed)
        return np.asarray(self._points + gain * (points - self._points))


def _gain(cutoff_hz: float | FloatArray, elapsed: float) -> float | FloatArray:
    """Weight of the new value in a first-order low-pass filter."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff_hz * elapsed))
