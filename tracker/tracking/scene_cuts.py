"""Scene cuts of an edited video: pictures that are unlike the one before."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from tracker.types import FloatArray

_CELLS = (16, 9)
"""Columns and rows that are compared."""

_SAME = 0.5
"""Least correlation of two pictures of one scene; in film clips cuts have up to 0.3, all else 0.7 or more."""

_FLAT = 5.0
"""Standard deviation in grey levels below which a picture proves nothing: it is blank, or dark and noisy."""


@dataclass(eq=False)
class CutDetector:
    """Suspects cuts to another scene, from the frames of one video in order.

    It is a suspicion only: light from one side, or a head before the camera at a few frames a second, change
    a picture as much as a cut does. Faces that are found where they were expected disprove it.

    Frames are compared by the correlation of their thumbnails, which does not change with the light. A camera
    that swings round within a frame looks like a cut, too. ``last`` ``(9, 16)`` is the normalised thumbnail
    of the last frame that had contrast; None before one. Raises ``ValueError`` for another shape.
    """

    last: FloatArray | None = None

    def __post_init__(self) -> None:
        if self.last is not None and self.last.shape != _CELLS[::-1]:
            raise ValueError(f"a frame is compared by {_CELLS[::-1]} cells, got {self.last.shape}")

    def looks_cut(self, cells: FloatArray) -> bool:
        """Take in the next frame and return whether it looks like another scene than the one before.

        ``cells`` is its :func:`~tracker.tracking.search.thumbnail`. A frame without contrast is no cut,
        and the next frame is compared with the one before it.
        """
        now = _pattern(cells)
        if now is None:
            return False
        last, self.last = self.last, now
        return last is not None and float(np.vdot(now, last)) < _SAME


def _pattern(cells: FloatArray) -> FloatArray | None:
    """Return ``cells`` reduced to ``(9, 16)``, with mean 0 and norm 1; None without contrast."""
    coarse = cv2.resize(cells, _CELLS, interpolation=cv2.INTER_AREA)
    mean, deviation = (float(value.item()) for value in cv2.meanStdDev(coarse))
    if deviation <= _FLAT:
        return None
    return np.asarray((coarse - mean) / (deviation * math.sqrt(coarse.size)))
