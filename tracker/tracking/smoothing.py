"""Smoothing of landmarks by the One-Euro filter, separately for the head and for the points on it.

G. Casiez, N. Roussel, D. Vogel, "1 Euro Filter: A Simple Speed-based Low-pass Filter for Noisy Input
in Interactive Systems", CHI 2012: a low-pass filter whose cut-off rises with speed. Each step from the last
smoothed points to the new ones is split into the motion of the whole head (a similarity transform, fitted to
points that do not move on the head) and the rest. Both are filtered, each at its own speed: the speed of the
head is known far better than that of a single point, and a still mouth stays still on a moving head. The
points of a part of the face share one speed, so that an eye blinks as a whole.

Speeds are in face widths per second, so that the same parameters suit near and far faces and any frame rate.
The presets were chosen with ``python -m tracker.steadiness``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.value import Scheme
from tracker.types import FloatArray

ComplexArray = npt.NDArray[np.complexfloating]
Cutoff = TypeVar("Cutoff", float, FloatArray)


@dataclass(frozen=True)
class OneEuro:
    """Parameters of the One-Euro filter.

    ``rest_hz`` is the cut-off at rest; it rises by ``hz_per_speed`` hertz per face width per second.
    ``speed_hz`` is the cut-off of the speed estimate, and motion slower than ``noise_speed``, face widths per
    second, is taken for noise.

    Raises ``ValueError`` for cut-offs that are not positive and finite, and for negative speeds.
    """

    rest_hz: float
    hz_per_speed: float
    speed_hz: float = 8.0
    noise_speed: float = 0.04

    def __post_init__(self) -> None:
        values = (self.rest_hz, self.hz_per_speed, self.speed_hz, self.noise_speed)
        if not all(map(math.isfinite, values)) or min(values) < 0 or 0 in (self.rest_hz, self.speed_hz):
            raise ValueError(f"a One-Euro filter needs positive cut-offs and no negative speeds, got {self}")


PRESETS: Mapping[str, OneEuro | None] = MappingProxyType(
    {"off": None, "low": OneEuro(1.5, 60.0), "high": OneEuro(0.7, 25.0)}
)
"""Choices of ``--smoothing``."""

# Eyelids and lips are fast and sharp; points of the contour drift along it, and brows are slow.
_LIVELY, _CALM = 2.5, 0.5


@dataclass(frozen=True, eq=False)
class _Groups:
    """Points of a scheme that share one speed: all of them for the head, then each part for the points on it.

    Points outside all parts are a group, too. The arrays are for both rows of velocities, one after the
    other, with their columns in ``order``: where each group starts, how many points it has, how it responds
    to speed, and, in the order of the scheme, the group of each point ``(2, P)``. ``steady_share`` ``(P,)``
    are the weights, which add up to 1, of points that the expression does not move.
    """

    order: slice | npt.NDArray[np.intp]
    starts: npt.NDArray[np.intp]
    counts: npt.NDArray[np.intp]
    response: FloatArray
    group_of: npt.NDArray[np.intp]
    steady_share: FloatArray

    @classmethod
    @lru_cache(maxsize=16)
    def of(cls, scheme: Scheme) -> _Groups:
        """Return the groups of ``scheme``."""
        count = scheme.n_points
        grouped = {point for part in scheme.parts.values() for point in part}
        rest = [point for point in range(count) if point not in grouped]
        parts = [*(list(part) for part in scheme.parts.values() if part), *([rest] if rest else [])]
        response = [
            _LIVELY if name in scheme.closed else _CALM for name, part in scheme.parts.items() if part
        ]
        order = np.array([*range(count), *(count + point for part in parts for point in part)])
        counts = np.array([count, *map(len, parts)])
        group_of = np.empty(2 * count, np.intp)
        group_of[order] = np.repeat(np.arange(len(counts)), counts)
        steady = np.zeros(count)
        steady[list(scheme.steady) or slice(None)] = 1
        return cls(
            slice(None) if np.array_equal(order, np.arange(2 * count)) else order,
            np.cumsum(counts) - counts,
            counts,
            np.array([1.0, *response, *([1.0] if rest else [])]),
            group_of.reshape(2, count),
            steady / steady.sum(),
        )


_WIDTH_PER_SPREAD = 2.6
"""Width of a frontal face over the root mean square distance of its points from their mean."""


@dataclass(eq=False)
class PointFilter:
    """Filter for the P points of one face, by their ``scheme``, called with each frame in turn.

    ``last`` ``(P,)`` holds the last smoothed points as complex numbers x + iy in pixels, ``time_s`` their
    time (None before the first), and ``velocity`` ``(2, P)`` the velocities of the head and of the points on
    it, face widths a second. Raises ``ValueError`` for arrays of other shapes.
    """

    parameters: OneEuro
    time_s: float | None = None
    last: ComplexArray = field(default_factory=lambda: np.empty(0, complex))
    velocity: ComplexArray = field(default_factory=lambda: np.empty(0, complex))
    scheme: Scheme = IBUG68

    def __post_init__(self) -> None:
        count = self.scheme.n_points
        if (self.last.shape, self.velocity.shape) not in (((0,), (0,)), ((count,), (2, count))):
            raise ValueError(f"a filter has {count} points, got {self.last.shape}, {self.velocity.shape}")

    def __call__(self, points: FloatArray, time_s: float) -> FloatArray:
        """Return the smoothed points ``(P, 2)`` for ``points`` at ``time_s`` seconds, both in pixels.

        The first call, and one whose time does not advance, returns the points unchanged. Raises
        ``ValueError`` for another shape.
        """
        count = self.scheme.n_points
        if points.shape != (count, 2):
            raise ValueError(f"points must be ({count}, 2), got {points.shape}")
        new = np.array(points, np.float64, order="C").view(np.complex128)[:, 0]
        elapsed = 0.0 if self.time_s is None else time_s - self.time_s
        if elapsed <= 0:
            self.velocity = np.zeros((2, count), complex)
            self.last = new
        else:
            self.last = self._advance(new, elapsed)
        self.time_s = time_s
        return self.last[:, None].view(np.float64).copy()  # the caller may change the array

    def _advance(self, new: ComplexArray, elapsed: float) -> ComplexArray:
        parameters, last, groups = self.parameters, self.last, _Groups.of(self.scheme)
        factor, shift = _fit(last, new, groups.steady_share)
        carried = factor * last + shift
        steps = np.array([carried - last, new - carried])  # of the head, of the points on it
        velocity = steps / (elapsed * (_width(new) or 1.0))
        self.velocity += _gain(parameters.speed_hz, elapsed) * (velocity - self.velocity)
        squares = self.velocity.real**2 + self.velocity.imag**2
        speeds = np.sqrt(np.add.reduceat(squares.ravel()[groups.order], groups.starts) / groups.counts)
        rises_hz = parameters.hz_per_speed * groups.response * np.maximum(speeds - parameters.noise_speed, 0)
        moves = _gain(parameters.rest_hz + rises_hz, elapsed)[groups.group_of] * steps
        return np.asarray(last + moves[0] + moves[1])


def fit_similarity(
    source: ComplexArray, target: ComplexArray, weights: FloatArray
) -> tuple[complex, complex]:
    """Return the ``factor`` and ``shift`` of the similarity that maps ``source`` to ``target`` best.

    Weighted least squares of ``factor * source + shift - target``, all ``(N,)``, points as complex numbers
    x + iy: the factor is a scale times ``exp(1j * angle)``. Points that all coincide are only shifted.
    ``weights`` are >= 0 and not all 0.
    """
    return _fit(source, target, weights / weights.sum())


def _fit(source: ComplexArray, target: ComplexArray, share: FloatArray) -> tuple[complex, complex]:
    """Return the same as :func:`fit_similarity`, with weights that add up to 1."""
    middle, target_middle = complex(share @ source), complex(share @ target)
    arms = source - middle
    weighted = share * arms
    spread = np.vdot(weighted, arms).real
    factor = complex(np.vdot(weighted, target - target_middle) / spread) if spread > 0 else 1 + 0j
    return factor, target_middle - factor * middle


def _width(points: ComplexArray) -> float:
    """Return the width of the face in pixels, from the spread of its points, which roll does not change."""
    arms = points - points.sum() / len(points)
    return _WIDTH_PER_SPREAD * math.sqrt(np.vdot(arms, arms).real / len(points))


def _gain(cutoff_hz: Cutoff, elapsed: float) -> Cutoff:
    """Return the weight of the new value in a first-order low-pass filter."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff_hz * elapsed))
