"""Views of a picture for a fully convolutional detector: the whole at several sizes, and close-ups.

The detector finds faces of about 20 to 120 pixels of its input. So a picture is shown to it several times,
shrunk so that its longer side is 128 pixels, twice, four times and eight times as many. In a still image each
such pass shows the whole picture, the coarser ones also turned by quarters. In a video the passes from 512
pixels on are cut into close-ups, so that no frame takes much longer than the others.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tracker.geometry import SQUARE, Stretch
from tracker.types import FloatArray

GRID = 16
"""Pixels of which both sides of a view are a multiple."""

COARSEST = 128
"""Side of the square view of the whole picture, the input size that BlazeFace was trained for."""

BORDERED, BORDERED_VIEW = 64, 96
"""Longer side of the picture, and side of the view, for faces that fill the picture or reach beyond it.

Of 637 faces in tight cuts 18 are not admitted without it, and 4 are not with it.
"""

LEVELS = (256, 512, 1024)
"""Longer sides of the picture in the other passes, pixels of the view."""

MAX_ENLARGED = 1.3
"""Largest factor by which a pass may enlarge the picture: small faces are found better, slowly."""

MIN_FACE = 20
"""Smallest face in pixels of a view that is found reliably: 94 % of 1175 training faces of 300-W."""

TILE = 224
"""Largest side of a close-up in pixels of the view; three times the cost of the coarsest view."""

_OVERLAP = 2 * MIN_FACE + 8  # a face that the pass before sees too small is completely in some close-up


@dataclass(frozen=True)
class View:
    """A rectangle of a picture, sampled at ``size`` = (width, height) pixels for a detector.

    Frame pixels are square ones, as everywhere in this module.

    Its middle lies at ``center`` (x, y) of the frame, and one of its pixels is ``scale`` frame pixels wide. A
    head that is turned clockwise by ``quarters`` quarter turns is upright in it. Corners of the rectangle are
    (0, 0) and ``size``. As in MediaPipe's ``ImageToTensorCalculator``, both frame and view count from the
    outer edge of the first pixel.

    Raises ``ValueError`` for a size that is no multiple of :data:`GRID` and a scale that is not positive.
    """

    center: tuple[float, float]
    scale: float
    size: tuple[int, int]
    quarters: int = 0

    def __post_init__(self) -> None:
        if min(self.size) < GRID or any(side % GRID for side in self.size):
            raise ValueError(f"sides of a view must be positive multiples of {GRID}, got {self.size}")
        if not (0 < self.scale < math.inf and self.quarters in range(4)):
            raise ValueError(f"a view needs a positive scale and 0 to 3 quarter turns, got {self}")

    @property
    def reach(self) -> tuple[float, float]:
        """Half of its width and height in the frame, frame pixels."""
        width, height = self.size if self.quarters % 2 == 0 else self.size[::-1]
        return width * self.scale / 2, height * self.scale / 2

    def to_frame(self, points_view: FloatArray) -> FloatArray:
        """Map points ``(..., 2)`` from pixels of the view to frame pixels."""
        turned = (points_view - np.array(self.size) / 2) @ (self.scale * _TURNS[self.quarters])
        return np.asarray(turned + self.center)

    def matrix(self, stretch: Stretch = SQUARE) -> FloatArray:
        """Return the affine matrix ``(2, 3)`` from indices of the view's pixels to those of stored pixels.

        As MediaPipe's OpenCV converter has it, index 0 of the one is index 0 of the other, not its outer
        edge: the view is sampled up to half of its pixels further left and up than :meth:`to_frame` says,
        and the box correction is fitted to that.
        """
        return _pixel_matrix(self, stretch)


_TURNS = (
    np.array([[1, 0], [0, 1]]),
    np.array([[0, 1], [-1, 0]]),
    np.array([[-1, 0], [0, -1]]),
    np.array([[0, -1], [1, 0]]),
)
"""Rotation matrices of 0 to 3 clockwise quarter turns, for row vectors (x, y)."""


@lru_cache(maxsize=128)
def _pixel_matrix(view: View, stretch: Stretch) -> FloatArray:
    by = np.array([stretch.x, stretch.y])
    first = stretch.to_stored(view.to_frame(np.zeros(2)))
    matrix = np.column_stack([view.scale * _TURNS[view.quarters].T / by[:, None], first])
    matrix.setflags(write=False)
    return matrix


def whole_picture(image_hw: tuple[int, int]) -> View:
    """Return the square view of the whole picture at 128 pixels, with black bars at two sides."""
    height, width = image_hw
    return View((width / 2, height / 2), max(height, width) / COARSEST, (COARSEST, COARSEST))


def with_border(image_hw: tuple[int, int]) -> View:
    """Return the view of the whole picture at 64 pixels with a black border, for faces that fill it."""
    height, width = image_hw
    return View((width / 2, height / 2), max(height, width) / BORDERED, (BORDERED_VIEW, BORDERED_VIEW))


def levels(image_hw: tuple[int, int]) -> list[int]:
    """Return those of :data:`LEVELS` that enlarge the picture by :data:`MAX_ENLARGED` at most."""
    return [level for level in LEVELS if level <= MAX_ENLARGED * max(image_hw)]


def whole_at(image_hw: tuple[int, int], level: int, quarters: int = 0) -> View:
    """Return the view of the whole picture with a longer side of ``level`` pixels, rounded up to the grid."""
    height, width = image_hw
    scale = max(height, width) / level
    sides = width / scale, height / scale
    columns, rows = (_on_grid(side) for side in (sides if quarters % 2 == 0 else sides[::-1]))
    return View((width / 2, height / 2), scale, (columns, rows), quarters)


@lru_cache(maxsize=16)
def passes(image_hw: tuple[int, int], quarters: int = 0) -> tuple[View, ...]:
    """Return the views of the whole picture of ``image_hw`` = (height, width), coarse to fine."""
    return tuple(whole_at(image_hw, level, quarters) for level in (COARSEST, *levels(image_hw)))


@lru_cache(maxsize=16)
def close_ups(image_hw: tuple[int, int]) -> tuple[View, ...]:
    """Return the views besides the coarsest one in which a video is searched, coarse to fine, row by row.

    The whole picture at 256 pixels, then tiles of the finer passes of at most :data:`TILE` pixels. Neighbours
    overlap so far that a face that is too small for the pass before lies completely in one of them. A picture
    that is too small has none.
    """
    views: list[View] = []
    for level in levels(image_hw):
        whole = whole_at(image_hw, level)
        views += [whole] if max(whole.size) <= 2 * COARSEST else _tiles(whole, image_hw)
    return tuple(views)


def _tiles(whole: View, image_hw: tuple[int, int]) -> list[View]:
    """Return tiles that cover the picture at the scale of ``whole``, row by row."""
    height, width = (length / whole.scale for length in image_hw)
    (tile_w, lefts), (tile_h, tops) = _cover(width), _cover(height)
    return [
        View(((x + tile_w / 2) * whole.scale, (y + tile_h / 2) * whole.scale), whole.scale, (tile_w, tile_h))
        for y, x in itertools.product(tops, lefts)
    ]


def _cover(length: float) -> tuple[int, list[float]]:
    """Return the side of tiles that cover 0 .. ``length`` evenly, overlapping enough, and their starts."""
    count = max(math.ceil((length - _OVERLAP) / (TILE - _OVERLAP)), 1)
    side = _on_grid((length + (count - 1) * _OVERLAP) / count)
    return side, [float(start) for start in np.linspace(0.0, max(length - side, 0.0), count)]


def _on_grid(length: float) -> int:
    """Return the least multiple of :data:`GRID` that is not below ``length``, rounding errors aside."""
    return max(math.ceil(length / GRID - 1e-9), 1) * GRID
