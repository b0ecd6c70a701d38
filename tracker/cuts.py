"""Where an edited video jumps to another scene: nobody must carry an identity across."""

from __future__ import annotations

import math

import cv2
import numpy as np

from tracker.types import FloatArray, ImageArray

_CELLS = (16, 12)
_SAMPLES = 4
"""Pixels looked at along each side of a cell."""

_SAME = 0.5
"""Correlation of two pictures of one scene: in film clips cuts give up to 0.3, all else 0.7 and more."""

_FLAT = 1.0
"""Grey levels: a picture that varies by less, standard deviation, is blank and tells nothing."""


class CutDetector:
    """Looks at each frame of a video in turn and says where the scene changes.

    Frames are compared as 16 x 12 mean grey levels by their correlation, which a change of light leaves as it
    is. A camera swung round within a frame looks like a cut, too.
    """

    def __init__(self) -> None:
        self._last: FloatArray | None = None

    def __call__(self, image_bgr: ImageArray) -> bool:
        """Whether ``(H, W, 3)`` uint8 is another scene than the last frame; blank ones are passed over."""
        now = _pattern(image_bgr)
        if now is None:
            return False
        last, self._last = self._last, now
        return last is not None and float(np.vdot(now, last)) < _SAME


def _pattern(image_bgr: ImageArray) -> FloatArray | None:
    """Mean grey levels of the cells less their mean, as a vector of length 1; None of a blank picture."""
    height, width = image_bgr.shape[:2]
    step_y, step_x = (max(1, side // (_SAMPLES * n)) for side, n in ((height, _CELLS[1]), (width, _CELLS[0])))
    samples = np.ascontiguousarray(image_bgr[step_y // 2 :: step_y, step_x // 2 :: step_x, 1])
    cells = cv2.resize(samples, _CELLS, interpolation=cv2.INTER_AREA)
    mean, deviation = (float(value.item()) for value in cv2.meanStdDev(cells))
    if deviation <= _FLAT:
        return None
    return np.asarray((cells - mean) / (deviation * math.sqrt(cells.size)))
