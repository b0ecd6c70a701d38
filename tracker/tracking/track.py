"""Track of one face: its last landmarks, its motion, and its filters."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from tracker.geometry import CropTransform
from tracker.tracking.measures.blinks import BlinkCounter
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
    crop around them and ``velocity`` (x, y) that of its centre, frame pixels a second. ``lost_at_s`` is set
    while the face is lost. ``smooth`` filters the points that are shown, None for no smoothing.
    """

    id: int
    landmarks: Landmarks
    crop: CropTransform
    seen_at_s: float
    smooth: PointFilter | None = None
    lost_at_s: float | None = None
    velocity: tuple[float, float] = (0.0, 0.0)
    blinks: BlinkCounter = field(default_factory=BlinkCounter)

    @property
    def box(self) -> FaceBox:
        """Tight box around the last located points."""
        return FaceBox.around(self.landmarks.points_frame)

    @property
    def is_lost(self) -> bool:
        """True if the face was not found in the last frame."""
        return self.lost_at_s is not None

    def follow(self, landmarks: Landmarks, crop: CropTransform, time_s: float) -> None:
        """Move to where the face was located at ``time_s``, which is not before the last time."""
        step = [now - before for now, before in zip(crop.center, self.crop.center, strict=True)]
        elapsed = time_s - self.seen_at_s
        moved = elapsed > 0 and math.hypot(*step) > _STILL * crop.side
        self.velocity = (step[0] / elapsed, step[1] / elapsed) if moved else (0.0, 0.0)
        self.landmarks, self.crop, self.seen_at_s = landmarks, crop, time_s

    def come_back(self, landmarks: Landmarks, crop: CropTransform, time_s: float) -> None:
        """Go on at ``time_s`` after being lost, with no velocity."""
        self.landmarks, self.crop, self.seen_at_s = landmarks, crop, time_s
        self.lost_at_s, self.velocity = None, (0.0, 0.0)

    def expected_crop(self, time_s: float) -> CropTransform:
        """Return ``crop`` moved to where the face should be at ``time_s``.

        The face goes on at its velocity at first, then slows down.
        """
        (x, y), (dx, dy) = self.crop.center, self._expected_shift(time_s)
        return replace(self.crop, center=(x + dx, y + dy))

    def expected_points(self, time_s: float) -> FloatArray:
        """Return the points ``(68, 2)`` moved likewise, frame pixels."""
        return self.landmarks.points_frame + self._expected_shift(time_s)

    def smoothed(self, time_s: float) -> Landmarks:
        """Advance the filter to ``time_s`` and return the landmarks with smoothed points."""
        if self.smooth is None:
            return self.landmarks
        return replace(self.landmarks, points_frame=self.smooth(self.landmarks.points_frame, time_s))

    def _expected_shift(self, time_s: float) -> tuple[float, float]:
        coast_s = _COAST_S * -math.expm1(-max(time_s - self.seen_at_s, 0.0) / _COAST_S)
        return self.velocity[0] * coast_s, self.velocity[1] * coast_s
