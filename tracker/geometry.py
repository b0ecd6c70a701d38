"""Geometry: the transform between a frame and the square crop that a landmark model sees.

Coordinates are pixels, x to the right and y down; (0, 0) is the centre of the top-left pixel. Angles are
radians, positive clockwise on screen. Where the pixels of a picture are not square, all geometry is in square
pixels, to which :class:`Stretch` leads; only there angles and ratios of lengths are those of the scene.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.placing import mirror_points as mirror_points
from tracker.scheme.placing import roll_of as roll_of
from tracker.scheme.placing import roll_of_features as roll_of_features
from tracker.scheme.placing import rotation
from tracker.scheme.placing import upright_square as upright_square
from tracker.scheme.value import CropRule, Scheme
from tracker.types import FaceBox, FloatArray, Frame, ImageArray

CROP_SIZE = 224
"""Width and height in pixels of the crop that a landmark model sees."""

CROP_MARGIN = IBUG68.crop.margin
"""Side of the crop over the longer side of the tight box around the points of iBUG."""


@dataclass(frozen=True)
class Stretch:
    """Map from stored pixels to square ones: ``x`` and ``y`` are the square pixels that a stored one covers.

    Both keep the outer corner of the top-left pixel, (-0.5, -0.5), in place. Raises ``ValueError`` unless
    both are positive and finite.
    """

    x: float = 1.0
    y: float = 1.0

    def __post_init__(self) -> None:
        if not (0 < self.x < math.inf and 0 < self.y < math.inf):
            raise ValueError(f"a stretch is positive and finite, got {self}")

    @classmethod
    @lru_cache(maxsize=16)
    def of(cls, pixel_aspect: float) -> Stretch:
        """Return the stretch of a picture whose pixels have this width over height; no side shrinks."""
        return cls(max(pixel_aspect, 1.0), max(1 / pixel_aspect, 1.0))

    def square_hw(self, image_hw: tuple[int, int]) -> tuple[int, int]:
        """Return the height and width in square pixels, rounded, of a picture of ``image_hw`` stored ones."""
        return round(self.y * image_hw[0]), round(self.x * image_hw[1])

    def to_square(self, points_frame: FloatArray) -> FloatArray:
        """Map points ``(..., 2)`` from stored to square pixels; :data:`SQUARE` returns the array itself."""
        if self == SQUARE:
            return points_frame
        return np.asarray(points_frame * (self.x, self.y) + ((self.x - 1) / 2, (self.y - 1) / 2))

    def to_stored(self, points_square: FloatArray) -> FloatArray:
        """Map points ``(..., 2)`` from square to stored pixels; :data:`SQUARE` returns the array itself."""
        if self == SQUARE:
            return points_square
        return np.asarray((points_square - ((self.x - 1) / 2, (self.y - 1) / 2)) / (self.x, self.y))


SQUARE = Stretch()
"""The stretch of a picture with square pixels, which changes nothing."""


class Raster(NamedTuple):
    """A picture ``(H, W)`` grey or ``(H, W, 3)`` BGR uint8 as it is stored, and its stretch."""

    image: ImageArray
    stretch: Stretch = SQUARE

    @classmethod
    def of(cls, frame: Frame) -> Raster:
        """Return the picture of ``frame``."""
        return cls(frame.image_bgr, Stretch.of(frame.pixel_aspect))

    @property
    def square_hw(self) -> tuple[int, int]:
        """Height and width in square pixels."""
        return self.stretch.square_hw((self.image.shape[0], self.image.shape[1]))


@dataclass(frozen=True)
class CropTransform:
    """Similarity transform between frame and crop.

    The crop is a square of ``side`` frame pixels, which are square ones, around ``center`` (x, y), turned by
    ``angle`` (radians, clockwise on screen) and sampled at ``size`` x ``size`` pixels. A head that is turned
    by ``angle`` is upright in the crop.

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
    def from_box(cls, box: FaceBox, rule: CropRule = IBUG68.crop, size: int = CROP_SIZE) -> CropTransform:
        """Return the crop for a detector's ``box`` in square pixels, placed by ``rule``."""
        cos, sin = math.cos(box.roll_rad), math.sin(box.roll_rad)
        (x, y), longer, (right, down) = box.center, max(box.width, box.height), rule.box_shift
        center = (x + longer * (cos * right - sin * down), y + longer * (sin * right + cos * down))
        return cls(center, rule.box_margin * longer, box.roll_rad, size)

    @classmethod
    def from_points(
        cls, points_frame: FloatArray, scheme: Scheme = IBUG68, size: int = CROP_SIZE
    ) -> CropTransform:
        """Return the crop around ``points_frame`` ``(P, 2)`` in which they are centred and the head upright.

        Raises ``ValueError`` if all points coincide.
        """
        center, side, angle = upright_square(points_frame, scheme)
        return cls(center, scheme.crop.margin * side, angle, size)

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
        points_crop: FloatArray = (self.size - 1) / 2 + self._turned(points_frame) / self.scale
        return points_crop

    def to_unit(self, points_frame: FloatArray) -> FloatArray:
        """Map points ``(..., 2)`` from frame pixels to crop sides from the middle of the crop."""
        return self._turned(points_frame) / self.side

    def within(self, outer: CropTransform, size: int) -> CropTransform:
        """Return the same square, at ``size`` pixels, as a crop from the picture that ``outer`` cuts."""
        cos, sin = math.cos(outer.angle) / outer.scale, math.sin(outer.angle) / outer.scale
        x, y = self.center[0] - outer.center[0], self.center[1] - outer.center[1]
        middle = (outer.size - 1) / 2
        center = (middle + cos * x + sin * y, middle + cos * y - sin * x)
        return CropTransform(center, self.side / outer.scale, self.angle - outer.angle, size)

    def cut(self, image: ImageArray, into: ImageArray | None = None, stretch: Stretch = SQUARE) -> ImageArray:
        """Sample the crop from ``image``, ``(H, W)`` grey or ``(H, W, 3)`` BGR uint8, as stored.

        Returns ``(size, size)`` grey uint8, black outside the image: a new array, or ``into`` filled. If the
        crop shrinks a side of the image to half or less, whole blocks of pixels are averaged first, since
        bilinear sampling alone would alias. Raises ``ValueError`` if ``into`` cannot hold the crop.
        """
        crop = np.empty((self.size, self.size), np.uint8) if into is None else into
        if crop.shape != (self.size, self.size) or crop.dtype != np.uint8 or not crop.flags.c_contiguous:
            raise ValueError(f"a crop fills {self.size}x{self.size} uint8, got {crop.dtype} {crop.shape}")
        patch, (x0, y0) = self._region(image, stretch)
        if patch.size == 0:
            crop.fill(0)
            return crop
        if patch.ndim == 3:
            patch = np.asarray(cv2.cvtColor(patch, cv2.COLOR_BGR2GRAY), np.uint8)
        # At most the size of the image: the padding of a small image in a huge crop must not grow.
        most = max(patch.shape)
        wide, high = (min(max(int(self.scale / side), 1), most) for side in (stretch.x, stretch.y))
        if wide > 1 or high > 1:
            patch = _average_blocks(patch, wide, high)
        # The centre of block i is pixel block * i + (block - 1) / 2 of the region.
        matrix = self._matrix((x0 + (wide - 1) / 2, y0 + (high - 1) / 2), stretch)
        to_patch = matrix / (wide if wide == high else [[wide], [high]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cv2.warpAffine(patch, to_patch, (self.size, self.size), dst=crop, flags=flags)
        return crop

    def _matrix(self, origin: tuple[float, float] = (0.0, 0.0), stretch: Stretch = SQUARE) -> FloatArray:
        """Return the affine matrix ``(2, 3)`` from crop pixels to stored pixels, counted from ``origin``."""
        cos, sin = self.scale * math.cos(self.angle), self.scale * math.sin(self.angle)
        middle, (x, y), by_x, by_y = (self.size - 1) / 2, self.center, stretch.x, stretch.y
        left, top = x - (cos - sin) * middle - (by_x - 1) / 2, y - (sin + cos) * middle - (by_y - 1) / 2
        return np.array(
            [
                [cos / by_x, -sin / by_x, left / by_x - origin[0]],
                [sin / by_y, cos / by_y, top / by_y - origin[1]],
            ]
        )

    def _turned(self, points_frame: FloatArray) -> FloatArray:
        """Return points ``(..., 2)`` from the middle of the crop, along its axes, in frame pixels."""
        return np.asarray((points_frame - np.array(self.center)) @ rotation(self.angle))

    def _region(self, image: ImageArray, stretch: Stretch) -> tuple[ImageArray, tuple[int, int]]:
        """Return the part of ``image`` that the crop may sample, and its top-left pixel (x, y)."""
        height, width = image.shape[:2]
        # A margin of two blocks: one across the edge, and its neighbour for bilinear sampling.
        reach = self.side * (abs(math.cos(self.angle)) + abs(math.sin(self.angle))) / 2 + 2 * self.scale
        reach_x, reach_y = reach / stretch.x + 2, reach / stretch.y + 2
        x, y = ((at - (by - 1) / 2) / by for at, by in zip(self.center, (stretch.x, stretch.y), strict=True))
        x0, y0 = max(math.floor(x - reach_x), 0), max(math.floor(y - reach_y), 0)
        x1, y1 = min(math.ceil(x + reach_x), width), min(math.ceil(y + reach_y), height)
        return image[y0 : max(y1, y0), x0 : max(x1, x0)], (x0, y0)


def _average_blocks(grey: ImageArray, wide: int, high: int) -> ImageArray:
    """Return the means of blocks of ``wide`` x ``high`` pixels; the border fills up the last ones."""
    height, width = grey.shape
    pad_y, pad_x = -height % high, -width % wide
    if pad_y or pad_x:
        grey = np.asarray(cv2.copyMakeBorder(grey, 0, pad_y, 0, pad_x, cv2.BORDER_REPLICATE), np.uint8)
    size = (grey.shape[1] // wide, grey.shape[0] // high)
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
