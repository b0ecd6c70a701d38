"""Anchors of BlazeFace, and decoding of its outputs, for an input of any size."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tracker.inference.detection.box_correction import N_KEYPOINTS
from tracker.types import FloatArray

ANCHORS_PER_CELL = {8: 2, 16: 6}
"""Anchors per cell of the feature map with each stride in pixels (three layers share stride 16)."""


@lru_cache(maxsize=64)
def make_anchors(size: tuple[int, int]) -> FloatArray:
    """Return the anchor centres ``(N, 2)`` of an input of ``size`` = (width, height) pixels, read-only.

    x then y in input pixels, row by row, all anchors of a cell together; 896 for an input of 128 x 128. Sides
    are multiples of 16. MediaPipe's ``SsdAnchorsCalculator`` with ``fixed_anchor_size``: every anchor has the
    same size, so only the centres matter.
    """
    maps = []
    for stride, per_cell in ANCHORS_PER_CELL.items():
        columns, rows = (side // stride for side in size)
        y, x = np.divmod(np.arange(rows * columns), columns)
        maps.append(np.repeat((np.stack([x, y], axis=1) + 0.5) * stride, per_cell, axis=0))
    anchors = np.concatenate(maps)
    anchors.setflags(write=False)
    return anchors


def decode(raw: FloatArray, anchors: FloatArray) -> FloatArray:
    """Decode network outputs ``raw`` ``(N, 16)`` at ``anchors`` ``(N, 2)`` to points ``(N, 8, 2)``, pixels.

    The points are the top-left and bottom-right corner of the box, then the six key points. ``raw`` holds
    centre, size and key points in input pixels, all but the size relative to the anchor.
    """
    points = raw.astype(np.float64).reshape(-1, 2 + N_KEYPOINTS, 2)
    center, half = points[:, 0] + anchors, points[:, 1] / 2
    points[:, 2:] += anchors[:, None]
    points[:, 0], points[:, 1] = center - half, center + half
    return points
