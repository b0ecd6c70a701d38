"""Small translucent pictures, rendered once and blended into many frames."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from tracker.drawing.theme import Color
from tracker.types import ImageArray


@dataclass(frozen=True, eq=False)
class Patch:
    """A translucent picture.

    ``paint`` ``(H, W, 3)`` uint8 is the colour times its opacity, BGR; ``keep`` of the same shape is what is
    left of the picture below, from 0 for an opaque pixel to 255 for a clear one. Both are read-only. Raises
    ``ValueError`` for other shapes or dtypes.
    """

    paint: ImageArray
    keep: ImageArray

    def __post_init__(self) -> None:
        if self.paint.ndim != 3 or self.paint.shape[2] != 3 or self.paint.shape != self.keep.shape:
            raise ValueError(f"paint and keep must be (H, W, 3), got {self.paint.shape}, {self.keep.shape}")
        if self.paint.dtype != np.uint8 or self.keep.dtype != np.uint8:
            raise ValueError(f"paint and keep must be uint8, got {self.paint.dtype}, {self.keep.dtype}")
        self.paint.setflags(write=False)
        self.keep.setflags(write=False)

    @classmethod
    def blank(cls, size: tuple[int, int]) -> Patch:
        """Return a clear patch of ``size`` (width, height) pixels."""
        shape = (size[1], size[0], 3)
        return cls(np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8))

    @classmethod
    def of_mask(cls, mask: ImageArray, color: Color) -> Patch:
        """Return a patch of one BGR colour whose opacity is ``mask``, ``(H, W)`` uint8."""
        opacity = np.repeat(mask[..., None], 3, axis=2)
        paint = np.rint(opacity * (np.array(color) / 255)).astype(np.uint8)
        return cls(paint, np.asarray(255 - opacity, np.uint8))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.paint.shape[1], self.paint.shape[0]

    def over(self, upper: Patch, top_left: tuple[int, int]) -> Patch:
        """Return this patch with ``upper`` on it, cut at this patch's borders; ``top_left`` is (x, y)."""
        paint, keep = self.paint.copy(), self.keep.copy()
        upper.blend(paint, top_left)
        Patch(np.zeros_like(upper.paint), upper.keep).blend(keep, top_left)
        return Patch(paint, keep)

    def blend(self, canvas_bgr: ImageArray, top_left: tuple[float, float]) -> None:
        """Blend the patch into ``(H, W, 3)`` uint8, in place, to 1/8 pixel; ``top_left`` is (x, y).

        What lies outside the picture is left out.
        """
        x, y = (round(8 * place) / 8 for place in top_left)
        left, top = math.floor(x), math.floor(y)
        patch = self if (x, y) == (left, top) else _moved(self, x - left, y - top)
        (width, height), (rows, columns) = patch.size, canvas_bgr.shape[:2]
        x0, x1, y0, y1 = max(left, 0), min(left + width, columns), max(top, 0), min(top + height, rows)
        if x0 >= x1 or y0 >= y1:
            return
        inside = slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)
        part = canvas_bgr[y0:y1, x0:x1]
        kept = cv2.multiply(part, patch.keep[inside], scale=1 / 255)
        cv2.add(kept, patch.paint[inside], dst=part)


@lru_cache(maxsize=512)
def _moved(patch: Patch, dx: float, dy: float) -> Patch:
    """Return the patch moved by a fraction of a pixel, on one more each way; a patch has 64 places."""
    size, move = (patch.size[0] + 1, patch.size[1] + 1), np.array([[1.0, 0.0, dx], [0.0, 1.0, dy]])
    paint = cv2.warpAffine(patch.paint, move, size, flags=cv2.INTER_LINEAR)
    keep = cv2.warpAffine(patch.keep, move, size, flags=cv2.INTER_LINEAR, borderValue=(255, 255, 255))
    return Patch(np.asarray(paint, np.uint8), np.asarray(keep, np.uint8))
