"""Bounding boxes of faces. Coordinates are pixels, x to the right and y down."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class FaceBox:
    """Bounding box of a face in frame pixels, with a score and the head's roll.

    ``(x0, y0)`` is the top-left and ``(x1, y1)`` the bottom-right corner; both may lie outside the frame.
    ``score`` is the detector's confidence, 0..1; ``roll_rad`` is that of the head, clockwise on screen.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    score: float = 1.0
    roll_rad: float = 0.0

    def __post_init__(self) -> None:
        values = (self.x0, self.y0, self.x1, self.y1, self.score, self.roll_rad)
        if not all(map(math.isfinite, values)):
            raise ValueError(f"a face box must be finite, got {values}")
        if self.x1 <= self.x0 or self.y1 <= self.y0:
            raise ValueError(f"a face box needs x1 > x0 and y1 > y0, got {values[:4]}")
        if not 0.0 <= self.score <= 1.0:
            raise ValueError(f"score must lie in 0..1, got {self.score}")

    @classmethod
    def around(cls, points: FloatArray, score: float = 1.0, roll_rad: float = 0.0) -> FaceBox:
        """Return the tight upright box around ``points`` ``(N, 2)``, in their coordinates."""
        return cls(*bounds_of(points), score, roll_rad)

    @property
    def xyxy(self) -> tuple[float, float, float, float]:
        """``(x0, y0, x1, y1)`` in pixels."""
        return self.x0, self.y0, self.x1, self.y1

    @property
    def center(self) -> tuple[float, float]:
        """The middle of the box, ``(x, y)`` in pixels."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.y1 - self.y0

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return self.width * self.height

    def iou(self, other: FaceBox) -> float:
        """Return the intersection over union with ``other``, 0..1."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        overlap = width * height
        return overlap / (self.area + other.area - overlap) if width > 0 and height > 0 else 0.0


def bounds_of(points: FloatArray) -> tuple[float, float, float, float]:
    """Return least x and y, and largest x and y of ``points`` ``(N, 2)``, in their coordinates."""
    (x0, y0), (x1, y1) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return x0, y0, x1, y1
