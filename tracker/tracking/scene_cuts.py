"""Where an edited video jumps to another scene: nobody must carry an identity across."""

from __future__ import annotations

import math

import cv2
import numpy as np

from tracker.types import FloatArray

_CELLS = (16, 9)

_SAME = 0.5
"""Correlation of two pictures of one scene: in film clips cuts give up to 0.3, all else 0.7 and more."""

_FLAT = 1.0
"""Grey levels: a picture that varies by less, standard deviation, is blank and tells nothing."""


class CutDetector:
    """Looks at each frame of a video in turn and says where the scene changes.

    Frames are compared by the correlation of their thumbnails, which a change of light leaves as it is. A
    camera swung round within a frame looks like a cut, too.
    """

    def __init__(self) -> None:
        self._last: FloatArray | None = None

    def __call__(self, cells: FloatArray) -> bool:
        """Whether the :func:`~tracker.tracking.thumbnail.thumbnail` ``cells`` of a frame shows another scene
        than the
        last; blank ones are passed over."""
        now = _pattern(cells)
        if now is None:
            return False
        last, self._last = self._last, now
        return last is not None and float(np.vdot(now, last)) < _SAME


def _pattern(cells: FloatArray) -> FloatArray | None:
    """``cells``, fewer of them, less their mean, as a vector of length 1; None of a blank picture."""
    coarse = cv2.resize(cells, _CELLS, interpolation=cv2.INTER_AREA)
    mean, deviation = (float(value.item()) for value in cv2.meanStdDev(coarse))
    if deviation <= _FLAT:
        return None
    return np.asarray((coarse - mean) / (deviation * math.sqrt(coarse.size)))
