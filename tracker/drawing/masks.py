"""Masks over heads that make faces unrecognisable: blur, large square patches, or one colour."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from tracker.drawing.heads import Head
from tracker.drawing.theme import COVER
from tracker.geometry import Stretch
from tracker.types import FloatArray, ImageArray

MaskKind = Literal["blur", "pixelate", "solid"]

LEAST_SCALE, MOST_SCALE = 0.5, 4.0
"""Limits of :attr:`Mask.scale`; below the first, eyes and mouth are not covered for certain."""

# Patches across a head. Recognition needs finer detail: about six patches across a head are three between
# the outer ends of the eyes. Smaller patches can be undone by comparing with known faces (McPherson, Shokri &
# Shmatikov, "Defeating Image Obfuscation with Deep Learning", 2016).
_CELLS = {"blur": 5, "pixelate": 6}
_SEAM = {"blur": 0.12, "pixelate": 0.0, "solid": 0.0}  # soft edge outside the ellipse, over the half width


@dataclass(frozen=True)
class Mask:
    """Mode of covering heads.

    ``blur`` keeps 5 patches across a head and smooths between them; ``pixelate`` keeps 6 as squares;
    ``solid`` covers with one grey. Patches lie on the head and move with it, so that several frames of a
    video show no more than one. ``scale`` is the size of the covered ellipse over that of the head; patches
    do not become finer with it. Raises ``ValueError`` for another kind, and for a scale beyond
    :data:`LEAST_SCALE` and :data:`MOST_SCALE`.
    """

    kind: MaskKind = "blur"
    scale: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in _SEAM:
            raise ValueError(f"kind must be one of {', '.join(_SEAM)}, got {self.kind!r}")
        if not LEAST_SCALE <= self.scale <= MOST_SCALE:  # in this form it refuses nan
            raise ValueError(f"scale must lie in {LEAST_SCALE:g}..{MOST_SCALE:g}, got {self.scale}")


def cover_heads(canvas_bgr: ImageArray, heads: Iterable[Head], mask: Mask, pixel_aspect: float = 1.0) -> None:
    """Cover the ellipses in a ``(H, W, 3)`` uint8 picture, in place.

    Ellipses over the same head, as of a detector and a tracker, are covered as one, so that patches of one
    do not cut those of the other. ``pixel_aspect`` is the width of the picture's pixels over their height.
    """
    stretch = Stretch.of(pixel_aspect)
    for same in _grouped(heads):
        _cover(canvas_bgr, same, mask, stretch)


def _grouped(heads: Iterable[Head]) -> list[list[Head]]:
    """Return lists of heads in the same place or within the first, which is the largest."""
    groups: list[list[Head]] = []
    for head in sorted(heads, key=lambda head: head.half_width, reverse=True):
        group = next((group for group in groups if group[0].is_at(head) or group[0].contains(head)), None)
        if group is None:
            groups.append([head])
        else:
            group.append(head)
    return groups


def _cover(canvas: ImageArray, same: Sequence[Head], mask: Mask, stretch: Stretch) -> None:
    """Cover the ellipses of one head, the first of which is the largest and gives the size of the patches."""
    covered = [head.grown(mask.scale) for head in same]
    seam = max(_SEAM[mask.kind] * covered[0].half_width, stretch.x, stretch.y)  # a pixel at least
    bounds = np.array([_bounds(head, seam, stretch) for head in covered])
    (left, top), (right, bottom) = bounds[:, :2].min(axis=0).tolist(), bounds[:, 2:].max(axis=0).tolist()
    left, right = max(left, 0), min(right, canvas.shape[1])
    top, bottom = max(top, 0), min(bottom, canvas.shape[0])
    if left >= right or top >= bottom:
        return
    part = canvas[top:bottom, left:right]
    cover = _cover_of(part, (left, top), same[0], mask, stretch)
    region = (left, top), (bottom - top, right - left)
    weight = np.max([_weights(head, seam, *region, stretch) for head in covered], axis=0)
    part[:] = cv2.blendLinear(cover, part, weight, 1 - weight)


def _cover_of(
    part: ImageArray, corner: tuple[int, int], head: Head, mask: Mask, stretch: Stretch
) -> ImageArray:
    """Return what covers ``part`` of the picture, whose top left is ``corner`` (x, y)."""
    if mask.kind == "solid":
        return np.full_like(part, COVER)
    cell = max(2 * head.half_width * max(mask.scale, 1.0) / _CELLS[mask.kind], 1.0)
    cell_wh = cell / stretch.x, cell / stretch.y
    if mask.kind == "blur":
        return _smoothed(part, cell_wh)
    x, y = stretch.to_stored(np.array(head.center)).tolist()
    return _squares(part, (x - corner[0], y - corner[1]), cell_wh)


def _smoothed(part: ImageArray, cell: tuple[float, float]) -> ImageArray:
    """Return ``part`` with only the mean of each patch kept, and linear interpolation between patches.

    ``cell`` is width and height of a patch in stored pixels.
    """
    height, width = part.shape[:2]
    cells = (max(round(width / cell[0]), 1), max(round(height / cell[1]), 1))
    coarse = cv2.resize(part, cells, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _squares(part: ImageArray, middle: tuple[float, float], cell: tuple[float, float]) -> ImageArray:
    """Return ``part`` with the mean of each patch in its place; a patch is around ``middle`` (x, y)."""
    x, y = (_starts(size, at, step) for size, at, step in zip(part.shape[1::-1], middle, cell, strict=True))
    sums = np.add.reduceat(np.add.reduceat(part, y, axis=0, dtype=np.int64), x, axis=1)
    heights, widths = np.diff(y, append=part.shape[0]), np.diff(x, append=part.shape[1])
    means = np.rint(sums / (heights[:, None] * widths)[..., None]).astype(np.uint8)
    return np.asarray(means.repeat(heights, axis=0).repeat(widths, axis=1), np.uint8)


def _starts(size: int, middle: float, step: float) -> npt.NDArray[np.int64]:
    """Return the first pixels of patches ``step`` pixels long over ``size`` pixels, one around ``middle``.

    The patches at both ends are at least as long as half of the others: a narrower one would show detail.
    """
    edges = np.arange(math.ceil(-middle / step - 0.5), math.ceil((size - middle) / step + 0.5)) + 0.5
    starts = np.rint(middle + step * edges).astype(np.int64)
    starts = starts[(starts >= step / 2) & (starts <= size - step / 2)]
    return np.unique(np.concatenate([[0], starts]))


def _bounds(head: Head, seam: float, stretch: Stretch) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the pixels that a head and its seam cover, also outside."""
    cos, sin = abs(math.cos(head.roll_rad)), abs(math.sin(head.roll_rad))
    wide, tall = head.half_width, head.half_height
    reach_x, reach_y = math.hypot(wide * cos, tall * sin) + seam, math.hypot(wide * sin, tall * cos) + seam
    x, y = stretch.to_stored(np.array(head.center)).tolist()
    reach_x, reach_y = reach_x / stretch.x, reach_y / stretch.y
    left, top = math.floor(x - reach_x), math.floor(y - reach_y)
    return left, top, math.ceil(x + reach_x) + 1, math.ceil(y + reach_y) + 1


def _weights(
    head: Head, seam: float, corner: tuple[int, int], hw: tuple[int, int], stretch: Stretch
) -> FloatArray:
    """Return the weight of the cover at each pixel: 1 inside the ellipse, 0 beyond the seam.

    ``corner`` (x, y) is the top-left pixel of the region and ``hw`` its height and width, as stored.
    """
    left, top = stretch.to_square(np.array(corner, float)).tolist()
    # Single precision is exact enough here, and twice as fast.
    columns, rows = np.arange(hw[1], dtype=np.float32), np.arange(hw[0], dtype=np.float32)[:, None]
    x, y = stretch.x * columns + (left - head.center[0]), stretch.y * rows + (top - head.center[1])
    cos, sin = math.cos(head.roll_rad), math.sin(head.roll_rad)
    along, across = (x * cos + y * sin) / head.half_width, (y * cos - x * sin) / head.half_height
    beyond = (np.sqrt(along**2 + across**2) - 1) * min(head.half_width, head.half_height) / seam
    return np.asarray(1 - np.clip(beyond, 0, 1), np.float32)
