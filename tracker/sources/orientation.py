"""Orientation of stored pictures: the turn and mirroring that make them upright, from all that states it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Orientation:
    """One of the eight orientations of a stored picture.

    The upright picture is the stored one, ``transposed`` (rows become columns), then mirrored left to right
    (``flip_x``), then top to bottom (``flip_y``).
    """

    transposed: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @classmethod
    def from_exif(cls, value: int) -> Orientation:
        """Return that of an EXIF orientation (EXIF 2.3, tag 0x0112): 1..8, invalid values count as 1."""
        return cls(value in (5, 6, 7, 8), value in (2, 3, 6, 7), value in (3, 4, 7, 8))

    @classmethod
    def from_quarter_turns(cls, turns: int) -> Orientation:
        """Return that of a picture to be turned counterclockwise by ``turns`` times 90 degrees."""
        return cls.from_exif((1, 8, 3, 6)[turns % 4])

    @classmethod
    def from_matrix(cls, matrix: Sequence[int]) -> Orientation:
        """Return that of a display matrix, the one of the eight that is nearest to it.

        ``matrix`` holds the nine numbers ``a b u c d v x y w`` of ISO/IEC 14496-12, 8.3.2: the stored point
        ``(p, q)`` is shown at ``(a p + c q + x, b p + d q + y)``.
        """
        a, b, _, c, d = matrix[:5]
        if abs(b) + abs(c) > abs(a) + abs(d):
            return cls(True, c < 0, b < 0)
        return cls(False, a < 0, d < 0)

    def upright(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Return the upright picture of the stored ``(H, W, ...)`` image, as a view of it."""
        if self.transposed:
            image = image.swapaxes(0, 1)
        return image[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1]

    @property
    def is_mirrored(self) -> bool:
        """True if left and right are exchanged in the stored picture."""
        return self.transposed ^ self.flip_x ^ self.flip_y

    def stored_points(
        self, points: npt.NDArray[np.floating[Any]], image_hw: tuple[int, int]
    ) -> npt.NDArray[np.floating[Any]]:
        """Return in stored pixels the ``points`` ``(..., 2)`` of the upright picture.

        ``image_hw`` is the height and width of the upright picture; (0, 0) is the centre of a pixel in both.
        """
        height, width = image_hw
        x, y = points[..., 0], points[..., 1]
        x = width - 1 - x if self.flip_x else x
        y = height - 1 - y if self.flip_y else y
        return np.stack((y, x) if self.transposed else (x, y), axis=-1)


UPRIGHT = Orientation()
"""The orientation of a picture that is stored upright."""
