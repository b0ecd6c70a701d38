"""Geometry: the transform between a frame and the square crop that a landmark model sees.

Coordinates are pixels, x to the right and y down; (0, 0) is the centre of the top-left pixel. Angles are
radians, positive clockwise on screen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from tracker.scheme import MIRROR, PARTS
from tracker.types import FaceBox, FloatArray, ImageArray

CROP_SIZE = 224
"""Width and height in pixels of the crop that a landmark model sees."""

CROP_MARGIN = 1.35
"""Side of the crop over the longer side of the tight box around the 68 points."""

_EYES = slice(PARTS["left_eye"].start, PARTS["right_eye"].stop)
"""Points of both eyes: first the left, then as many of the right."""


@dataclass(frozen=True)
class CropTransform:
    """Similarity transform between frame and crop.

    The crop is a square of ``side`` frame pixels around ``center`` (x, y), turned by ``angle``
    (radians, clockwise on screen) and sampled at ``size`` x ``size`` pixels. A head that is turned by
    ``angle`` is upright in the crop.

    Raises ``ValueError`` if a value is not finite, ``side`` is not positive or ``size`` is below 2.
    """

    center: tuple[float, float]
    side: float
    angle: float = 0.0
    size: int = CROP_SIZE

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (*self.center, self.side, self.angle))):
            raise ValueError(f"a crop must be finite, got {self}")
        if self.side <= 0 or self.size < 2:
            raise ValueError(f"a crop needs side > 0 and size >= 2, got {self}")

    @classmethod
    def from_box(cls, box: FaceBox, margin: float = CROP_MARGIN, size: int = CROP_SIZE) -> CropTransform:
        """Return the crop for a detector's ``box``, which is tight around the 68 points."""
        return cls(box.center, margin * max(box.width, box.height), box.roll_rad, size)

    @classmethod
    def from_points(
        cls, points_frame: FloatArray, margin: float = CROP_MARGIN, size: int = CROP_SIZE
    ) -> CropTransform:
        """Return the crop around ``points_frame`` ``(68, 2)`` in which they are centred and the eyes level.

        Raises ``ValueError`` if all points coincide.
        """
        angle = roll_of(points_frame)
        cos, sin = math.cos(angle), math.sin(angle)
        upright = points_frame @ _rotation(angle)
        (x0, y0), (x1, y1) = upright.min(axis=0).tolist(), upright.max(axis=0).tolist()
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        center = (cos * x - sin * y, sin * x + cos * y)
        return cls(center, margin * max(x1 - x0, y1 - y0), angle, size)

    @property
    def scale(self) -> float:
        """Frame pixels per crop pixel."""
        return self.side / self.size

    def to_frame(self, points_crop: FloatArray) -> FloatArray:
        """Map points ``(..., 2)`` from crop pixels to frame pixels."""
        matrix = self._matrix()
        return np.asarray(points_crop @ matrix[:, :2].T + matrix[:, 2])

    def to_crop(self, points_frame: FloatArray) -> FloatArray:
        """Map points ``(..., 2)`` from frame pixels to crop pixels; the inverse of :meth:`to_frame`."""
        turned = (points_frame - np.asarray(self.center)) @ _rotation(self.angle)
        points_crop: FloatArray = (self.size - 1) / 2 + turned / self.scale
        return points_crop

    def cut(self, image: ImageArray) -> ImageArray:
        """Sample the crop from ``image``, ``(H, W)`` grey or ``(H, W, 3)`` BGR uint8.

        Returns ``(size, size)`` grey uint8, black outside the image. If the crop shrinks the image to half
        its size or less, whole blocks of pixels are averaged first, since bilinear sampling alone would
        alias.
        """
        patch, origin = self._region(image)
        if patch.size == 0:
            return np.zeros((self.size, self.size), np.uint8)
        if patch.ndim == 3:
            patch = np.asarray(cv2.cvtColor(patch, cv2.COLOR_BGR2GRAY), np.uint8)
        # At most the size of the image: the padding of a small image in a huge crop must not grow.
        block = min(max(int(self.scale), 1), max(patch.shape))
        if block > 1:
            patch = _average_blocks(patch, block)
        to_patch = self._matrix()
        # The centre of block i is pixel block * i + (block - 1) / 2 of the region.
        to_patch[:, 2] -= np.asarray(origin) + (block - 1) / 2
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        crop = cv2.warpAffine(patch, to_patch / block, (self.size, self.size), flags=flags)
        return np.asarray(crop, np.uint8)

    def _matrix(self) -> FloatArray:
        """Return the affine matrix ``(2, 3)`` from crop pixels to frame pixels."""
        cos, sin = self.scale * math.cos(self.angle), self.scale * math.sin(self.angle)
        middle, (x, y) = (self.size - 1) / 2, self.center
        return np.array([[cos, -sin, x - (cos - sin) * middle], [sin, cos, y - (sin + cos) * middle]])

    def _region(self, image: ImageArray) -> tuple[ImageArray, tuple[int, int]]:
        """Return the part of ``image`` that the crop may sample, and its top-left pixel (x, y)."""
        height, width = image.shape[:2]
        # A margin of two blocks: one across the edge, and its neighbour for bilinear sampling.
        reach = self.side * (abs(math.cos(self.angle)) + abs(math.sin(self.angle))) / 2 + 2 * self.scale + 2
        x0, y0 = (max(math.floor(c - reach), 0) for c in self.center)
        x1, y1 = (min(math.ceil(c + reach), end) for c, end in zip(self.center, (width, height), strict=True))
        return image[y0 : max(y1, y0), x0 : max(x1, x0)], (x0, y0)


def roll_of(points: FloatArray) -> float:
    """Return the angle of the line through the centres of the two eyes, radians clockwise on screen.

    ``points`` are ``(68, 2)`` in any coordinates.
    """
    (left_x, left_y), (right_x, right_y) = points[_EYES].reshape(2, -1, 2).sum(axis=1).tolist()
    return math.atan2(right_y - left_y, right_x - left_x)


def mirror_points(points: FloatArray, width: int) -> FloatArray:
    """Return the landmarks of the mirrored image: ``points`` ``(68, 2)`` of one ``width`` pixels wide."""
    flipped = points[MIRROR]
    flipped[:, 0] = width - 1 - flipped[:, 0]
    return flipped


def _rotation(angle: float) -> FloatArray:
    cos, sin = math.cos(angle), math.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])


def _average_blocks(grey: ImageArray, block: int) -> ImageArray:
    height, width = grey.shape
    pad_y, pad_x = -height % block, -width % block
    padded = cv2.copyMakeBorder(grey, 0, pad_y, 0, pad_x, cv2.BORDER_REPLICATE)
    size = (padded.shape[1] // block, padded.shape[0] // block)
    return np.asarray(cv2.resize(padded, size, interpolation=cv2.INTER_AREA), np.uint8)
