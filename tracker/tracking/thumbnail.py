"""A frame as few numbers: enough to tell what changed, at next to no cost."""

from __future__ import annotations

import cv2
import numpy as np

from tracker.types import FloatArray, ImageArray

COLUMNS, ROWS = 32, 18

_SAMPLES = 4
"""Pixels looked at along each side of a cell."""


def thumbnail(image_bgr: ImageArray) -> FloatArray:
    """Mean grey levels (of the green channel) of 18 rows of 32 cells, float32, of ``(H, W, 3)`` uint8.

    A few pixels stand for each cell: of a large picture most are never touched.
    """
    height, width = image_bgr.shape[:2]
    step_y, step_x = (max(1, side // (_SAMPLES * n)) for side, n in ((height, ROWS), (width, COLUMNS)))
    samples = np.ascontiguousarray(image_bgr[step_y // 2 :: step_y, step_x // 2 :: step_x, 1])
    cells = cv2.resize(samples, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)
    return cells.astype(np.float32)
