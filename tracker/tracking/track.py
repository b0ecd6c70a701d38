"""Track of one face: its last landmarks, its motion, and its filters."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from tracker.geometry import CropTransform
from tracker.tracking.appearance import Appearance, Look
from tracker.tracking.measures.blinks import BlinkCounter
from tracker.tracking.sighting import Sighting, detector_box
from tracker.tracking.smoothing import PointFilter
from tracker.types import FaceBox, FloatArray, Landmarks

_STILL = 0.03
"""Motion below this, in crop sides, is taken for standing still: the points themselves jitter."""

_COAST_S = 0.2
"""Time constant in which the expected motion of a face dies out while it is not seen."""


@dataclass(eq=False)
class Track:
    """One face, followed from frame to frame.

    ``landmarks`` are the last ones located, not smoothed, at the time ``seen_at_s``; ``crop`` is the upright
    crop around them and ``velocity`` (x, y) that of its centre, frame pixels a second. ``appearance`` is how
    the face looked, last at ``looked_at_s``. ``lost_at_s`` is set while the face is lost; it was then sought
    ``tries`` times at its expected place, and is ``doubted`` if the picture, or the face there, has become
    another. ``smooth`` filters the points that are shown, None for no smoothing.
    """

    id: int
    landmarks: Landmarks
    crop: CropTransform
    seen_at_s: float
    smooth: PointFilter | None = None
    lost_at_s: float | None = None
    velocity: tuple[float, float] = (0.0, 0.0)
    appearance: Appearance | None = None
    looked_at_s: float | None = None
    tries: int = 0
    doubted: bool = False
    blinks: BlinkCounter = field(default_factory=BlinkCounter)

    @property
    def box(self) -> FaceBox:
        """The box of a detector for the last located points."""
        return detector_box(self.landmarks)

    @property
    def is_lost(self) -> bool:
        """True if the face was not found in the last frame."""
        return self.lost_at_s is not None

    def follow(self, seen: Sighting, time_s: float, alone: bool = True) -> None:
        """Move to where the face was located at ``time_s``, which is not before the last time.

        The look of a face that is not ``alone`` is not kept: the other face may hide a part of it.
        """
        step = (seen.crop.center[0] - self.crop.center[0], seen.crop.center[1] - self.crop.center[1])
        elapsed = time_s - self.seen_at_s
        moved = elapsed > 0 and math.hypot(*step) > _STILL * seen.crop.side
        self.velocity = (step[0] / elapsed, step[1] / elapsed) if moved else (0.0, 0.0)
        self._take(seen, time_s, alone)

    def lose(self, time_s: float, doubted: bool = False) -> None:
        """Become lost at ``time_s``, or more doubtful if lost already."""
        if self.lost_at_s is None:
            self.lost_at_s, self.tries = time_s, 0
        self.doubted |= doubted

    def come_back(self, seen: Sighting, time_s: float) -> None:
        """Go on at ``time_s`` after being lost, with no velocity."""
        self.lost_at_s, self.velocity, self.doubted = None, (0.0, 0.0), False
        if self.appearance is not None and seen.look is not None:
            self.appearance.resume(seen.look)
            self.looked_at_s = time_s
        self._take(seen, time_s, alone=False)

    def _take(self, seen: Sighting, time_s: float, alone: bool = True) -> None:
        self.landmarks, self.crop, self.seen_at_s = seen.landmarks, seen.crop, time_s
        if seen.look is None:
            return
        if self.appearance is None:
            self.appearance, self.looked_at_s = Appearance(seen.look, seen.look), time_s
        elif alone:
            self.appearance.update(seen.look)
            self.looked_at_s = time_s

    def likeness(self, look: Look | None) -> float | None:
        """Return how much ``look`` resembles this face, -1..1; None if that cannot be told."""
        if self.appearance is None or look is None:
            return None
        return self.appearance.likeness(look)

    def expected_crop(self, time_s: float) -> CropTransform:
        """Return ``crop`` moved to where the face should be at ``time_s``.

        The face goes on at its velocity at first, then slows down.
        """
        (x, y), (dx, dy) = self.crop.center, self._expected_shift(time_s)
        return CropTransform((x + dx, y + dy), self.crop.side, self.crop.angle, self.crop.size)

    def expected_points(self, time_s: float) -> FloatArray:
        """Return the points ``(P, 2)`` moved likewise, frame pixels."""
        return self.landmarks.points_frame + self._expected_shift(time_s)

    def smoothed(self, time_s: float) -> Landmarks:
        """Advance the filter to ``time_s`` and return the landmarks with smoothed points."""
        if self.smooth is None:
            return self.landmarks
        located = self.landmarks
        return located.at(self.smooth(located.points_frame, time_s))

    def distances(self, points: FloatArray, time_s: float) -> FloatArray:
        """Return the mean distance of each of ``points`` ``(F, P, 2)`` from the expected ones.

        ``(F,)``, in widths of the face; infinite if the track has no width.
        """
        expected = self.expected_points(time_s)
        width = self.landmarks.scheme.crop.box_per_points * max(np.ptp(expected, axis=0).tolist())
        if not width:
            return np.full(len(points), math.inf)
        return np.asarray(np.linalg.norm(points - expected, axis=2).mean(axis=1) / width)

    def _expected_shift(self, time_s: float) -> tuple[float, float]:
        coast_s = _COAST_S * -math.expm1(-max(time_s - self.seen_at_s, 0.0) / _COAST_S)
        return self.velocity[0] * coast_s, self.velocity[1] * coast_s
