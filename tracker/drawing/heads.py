"""Heads as ellipses."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from tracker.geometry import CropTransform, upright_square
from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.value import Scheme
from tracker.types import FaceBox, FloatArray


@dataclass(frozen=True)
class Head:
    """An ellipse over a face with forehead, chin and ears, and most of the hair; square pixels.

    ``half_width`` is measured along the line through the eyes, which is turned clockwise by ``roll_rad``.
    Raises ``ValueError`` unless all values are finite and both halves positive.
    """

    center: tuple[float, float]
    half_width: float
    half_height: float
    roll_rad: float

    def __post_init__(self) -> None:
        values = (*self.center, self.half_width, self.half_height, self.roll_rad)
        if not all(map(math.isfinite, values)) or min(self.half_width, self.half_height) <= 0:
            raise ValueError(f"a head is finite and has a size, got {values}")

    @classmethod
    def of_points(cls, points_frame: FloatArray, scheme: Scheme = IBUG68) -> Head:
        """Return the head with the landmarks ``(P, 2)``; one pixel large if all points coincide.

        Where pixels are not square, :meth:`tracker.geometry.Stretch.to_square` makes the landmarks so. Points
        of a ``scheme`` that span less than a detector's box are those of a larger head, by its crop rule.
        Where it does not tell the roll, the head is a circle that covers it whichever way it is turned.
        """
        center, side, angle = upright_square(points_frame, scheme)
        if side <= 0:
            x, y = points_frame[0].tolist()
            return cls((x, y), 1.0, 1.0, 0.0)
        crop = CropTransform(center, side, angle, size=2)
        width, height = (np.ptp(crop.to_crop(points_frame), axis=0) * crop.scale).tolist()
        rule = scheme.crop
        if rule.box_per_points != 1 or any(rule.box_shift):
            width, height = rule.box_per_points * width, rule.box_per_points * height
            scaled = replace(crop, side=2 * max(width, height))
            x, y = scaled.to_frame(0.5 - np.array(rule.box_shift)).tolist()
            center = (x, y)
        head = cls._around(center, width, height, crop.angle)
        if scheme.upright:
            return head
        reach = math.dist(center, head.center) + max(head.half_width, head.half_height)
        return cls(center, reach, reach, 0.0)

    @classmethod
    def of_box(cls, box: FaceBox) -> Head:
        """Return the head in a detector's box, which is tight around iBUG's points of an upright head."""
        return cls._around(box.center, box.width, box.height, box.roll_rad)

    @classmethod
    def _around(cls, center: tuple[float, float], width: float, height: float, roll: float) -> Head:
        """Return the head whose landmarks span ``width`` and ``height`` along its own axes.

        From the brows to the chin is somewhat more than half of a head. Landmarks of a face turned aside
        span less width, those of a face turned down less height, while the head stays as large.
        """
        width, height = max(width, 0.9 * height), max(height, 0.85 * width)
        up = 0.28 * height
        middle = (center[0] + up * math.sin(roll), center[1] - up * math.cos(roll))
        return cls(middle, 0.82 * width, 0.98 * height, roll)

    def grown(self, factor: float) -> Head:
        """Return the ellipse scaled by ``factor`` around its center."""
        return replace(self, half_width=factor * self.half_width, half_height=factor * self.half_height)

    def is_at(self, other: Head) -> bool:
        """Return whether both are in the same place, whatever their sizes."""
        return math.dist(self.center, other.center) <= 0.5 * min(self.half_width, other.half_width)

    def contains(self, other: Head) -> bool:
        """Return whether the ellipse of ``other`` lies within this one."""
        angles = np.linspace(0, 2 * math.pi, 16, endpoint=False)
        along, across = other.half_width * np.cos(angles), other.half_height * np.sin(angles)
        cos, sin = math.cos(other.roll_rad), math.sin(other.roll_rad)
        x = other.center[0] - self.center[0] + along * cos - across * sin
        y = other.center[1] - self.center[1] + along * sin + across * cos
        cos, sin = math.cos(self.roll_rad), math.sin(self.roll_rad)
        across, along = (y * cos - x * sin) / self.half_height, (x * cos + y * sin) / self.half_width
        return bool((along**2 + across**2 <= 1).all())

    def replaces(self, other: Head) -> bool:
        """Return whether covering this head also hides ``other``: same place, and hardly smaller."""
        return self.is_at(other) and self.half_width >= 0.6 * other.half_width
