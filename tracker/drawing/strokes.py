"""Lines of any width at sub-pixel positions, by OpenCV's fixed point.

OpenCV's widths are whole pixels, and its anti-aliased lines are wider than asked for: one of width 1 covers
1.33 pixels, one of width 2 covers 3.4. So wider lines are thin ones side by side, and narrower ones paler.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from tracker.drawing.theme import Color
from tracker.types import FloatArray, ImageArray

THIN = 1.33
"""Pixels that a line of OpenCV's width 1 covers (tests/tracker/drawing/test_strokes.py)."""

_SLACK = 0.37  # width that a second line beside the first must at least add: it costs as much again
_PALER = 0.15  # width that a line must at least lack to be drawn paler, which takes three times as long
_SHIFT = 4  # fractional bits of OpenCV's coordinates: 1/16 pixel
_LIMIT = 30_000.0  # beyond any canvas, and within OpenCV's fixed-point range

Polyline = tuple[int, int, bool]
"""First point of a path of lines, the one after its last, and whether the last is joined to the first."""


def draw_paths(
    canvas_bgr: ImageArray, points: FloatArray, paths: tuple[Polyline, ...], width: float, color: Color
) -> None:
    """Draw paths over successive ``points``, in place.

    ``canvas_bgr`` is ``(H, W, 3)`` uint8 and ``points`` ``(N, 2)`` in its pixels, drawn to 1/16 pixel; they
    may lie outside. ``width`` is in pixels; well below :data:`THIN` lines are paler instead.
    """
    if width < THIN - _PALER:
        _draw_pale(canvas_bgr, points, paths, width / THIN, color)
        return
    lines = math.ceil(width - THIN - _SLACK) + 1
    if lines == 1:
        _draw_thin(canvas_bgr, points, paths, color)
        return
    across = _normals(points, paths)
    for offset in np.linspace(-0.5, 0.5, lines) * (width - THIN):
        _draw_thin(canvas_bgr, points + offset * across, paths, color)


def _draw_thin(canvas: ImageArray, points: FloatArray, paths: Sequence[Polyline], color: Color) -> None:
    fixed = _fixed(points)
    for joined in (False, True):
        if chosen := [fixed[start:end] for start, end, closed in paths if closed == joined]:
            cv2.polylines(canvas, chosen, joined, color, 1, cv2.LINE_AA, _SHIFT)


def _draw_pale(
    canvas: ImageArray, points: FloatArray, paths: Sequence[Polyline], opacity: float, color: Color
) -> None:
    """Draw thin lines of an ``opacity`` in 0..1 on the part of the picture that they lie in."""
    limits = canvas.shape[1], canvas.shape[0]
    left, top = (
        max(int(min(low, most)) - 2, 0) for low, most in zip(points.min(axis=0), limits, strict=True)
    )
    right, bottom = (int(max(high, 0)) + 3 for high in points.max(axis=0))
    part = canvas[top:bottom, left:right]
    if part.size == 0:
        return
    lined = part.copy()
    _draw_thin(lined, points - (left, top), paths, color)
    cv2.addWeighted(lined, opacity, part, 1 - opacity, 0, dst=part)


def _normals(points: FloatArray, paths: tuple[Polyline, ...]) -> FloatArray:
    """Return a vector ``(N, 2)`` of length 1 across the path at each point; 0 where points coincide."""
    before, after = _neighbours(paths, len(points))
    along = points[after] - points[before]
    across = along[:, ::-1] * (-1.0, 1.0)
    return np.asarray(across / np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)[:, None])


@lru_cache(maxsize=8)
def _neighbours(paths: tuple[Polyline, ...], count: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the numbers of the points before and after each of ``count`` points on its path."""
    before, after = np.arange(count) - 1, np.arange(count) + 1
    for start, end, closed in paths:
        before[start] = end - 1 if closed else start
        after[end - 1] = start if closed else end - 1
    return before, after


def _fixed(points: FloatArray) -> npt.NDArray[np.int32]:
    """Convert ``(N, 2)`` pixels to the fixed-point integers of OpenCV's ``shift`` argument."""
    # np.clip takes longer than all the rest.
    return np.asarray(np.rint(np.minimum(np.maximum(points, -_LIMIT), _LIMIT) * 2**_SHIFT), np.int32)
