"""Heads as ellipses, and blurring them beyond recognition."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from tracker.geometry import CropTransform
from tracker.types import FaceBox, FloatArray, ImageArray

_CELLS = 5  # patches across a head; recognition needs finer detail
_SEAM = 0.12  # width of the soft edge outside the ellipse, as a share of the half width


@dataclass(frozen=True)
class Head:
    """An ellipse over a face with forehead, chin and ears, and most of the hair; frame pixels.

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
    def of_points(cls, points_frame: FloatArray) -> Head:
        """Return the head with the landmarks ``(68, 2)``; one pixel large if all points coincide."""
        try:
            crop = CropTransform.from_points(points_frame, margin=1.0, size=2)
        except ValueError:
            x, y = points_frame[0].tolist()
            return cls((x, y), 1.0, 1.0, 0.0)
        width, height = (np.ptp(crop.to_crop(points_frame), axis=0) * crop.scale).tolist()
        return cls._around(crop.center, width, height, crop.angle)

    @classmethod
    def of_box(cls, box: FaceBox) -> Head:
        """Return the head in a detector's box, which is tight around the 68 points of an upright head."""
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

    def replaces(self, other: Head) -> bool:
        """Return whether blurring this head also hides ``other``: same place, and hardly smaller."""
        near = math.dist(self.center, other.center) <= 0.5 * min(self.half_width, other.half_width)
        return near and self.half_width >= 0.6 * other.half_width


def blur_heads(canvas_bgr: ImageArray, heads: Iterable[Head]) -> None:
    """Blur the ellipses in a ``(H, W, 3)`` uint8 picture, in place, to :data:`_CELLS` patches across."""
    for head in heads:
        _blur(canvas_bgr, head)


def _blur(canvas: ImageArray, head: Head) -> None:
    seam = max(_SEAM * head.half_width, 1.0)
    left, top, right, bottom = _bounds(head, seam, (canvas.shape[0], canvas.shape[1]))
    if left >= right or top >= bottom:
        return
    part = canvas[top:bottom, left:right]
    cell = max(2 * head.half_width / _CELLS, 1.0)
    cells = (max(round((right - left) / cell), 1), max(round((bottom - top) / cell), 1))
    # Only the mean of each patch is kept; linear interpolation smooths between patches.
    coarse = cv2.resize(part, cells, interpolation=cv2.INTER_AREA)
    smooth = cv2.resize(coarse, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
    weight = _blur_weights(head, seam, (left, top), (bottom - top, right - left))[..., None]
    part[:] = np.rint(part + weight * (smooth.astype(np.float32) - part)).astype(np.uint8)


def _bounds(head: Head, seam: float, image_hw: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the pixels that a head and its seam cover in the picture."""
    cos, sin = abs(math.cos(head.roll_rad)), abs(math.sin(head.roll_rad))
    wide, tall = head.half_width, head.half_height
    reach_x, reach_y = math.hypot(wide * cos, tall * sin) + seam, math.hypot(wide * sin, tall * cos) + seam
    x, y = head.center
    left, right = max(math.floor(x - reach_x), 0), min(math.ceil(x + reach_x) + 1, image_hw[1])
    top, bottom = max(math.floor(y - reach_y), 0), min(math.ceil(y + reach_y) + 1, image_hw[0])
    return left, top, right, bottom


def _blur_weights(head: Head, seam: float, corner: tuple[int, int], hw: tuple[int, int]) -> FloatArray:
    """Return the weight of the blur at each pixel: 1 inside the ellipse, 0 beyond the seam.

    ``corner`` (x, y) is the top-left pixel of the region and ``hw`` its height and width.
    """
    rows, columns = np.ogrid[: hw[0], : hw[1]]
    x, y = columns + (corner[0] - head.center[0]), rows + (corner[1] - head.center[1])
    cos, sin = math.cos(head.roll_rad), math.sin(head.roll_rad)
    along, across = (x * cos + y * sin) / head.half_width, (y * cos - x * sin) / head.half_height
    beyond = (np.sqrt(along**2 + across**2) - 1) * min(head.half_width, head.half_height) / seam
    return np.asarray(1 - np.clip(beyond, 0, 1), np.float32)
