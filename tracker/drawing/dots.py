"""Round dots with a ring, at exact positions and radii.

OpenCV's anti-aliased discs are larger than asked for, and grow in steps. Here each pixel near a dot gets the
colour of its distance from the nearest centre, all dots of a face at once, which is also faster.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tracker.drawing.theme import Color
from tracker.types import FloatArray, ImageArray

_STEPS = 16  # steps of distance in a pixel
_MOST = 255 / _STEPS - 1  # largest radius whose distances fit into a byte

_Floats = npt.NDArray[np.float32]


def draw_dots(
    canvas_bgr: ImageArray,
    points: FloatArray,
    radius: float,
    ring: float,
    colors: tuple[Color, Color],
) -> None:
    """Draw a disc with a ring around it at each point, in place; no ring covers a neighbouring disc.

    ``canvas_bgr`` is ``(H, W, 3)`` uint8 and ``points`` ``(N, 2)`` in its pixels; they may lie outside.
    ``radius`` is that of the disc and ``ring`` the width of what is around it, together at most 14 pixels.
    ``colors`` are those of disc and ring.
    """
    radius, outer = _stepped(radius), _stepped(min(radius + ring, _MOST))
    reach = math.ceil(outer + 0.5)
    limit = canvas_bgr.shape[1], canvas_bgr.shape[0]
    near = ((points > -reach) & (points < np.add(limit, reach))).all(axis=1)
    place, distance = _pixels_near(points if near.all() else points[near], reach, outer + 0.5, limit)
    if place.size == 0:
        return
    first = int(place.min())
    place -= first
    nearest = np.empty(int(place.max()) + 1, np.uint8)
    nearest[place] = 255
    np.minimum.at(nearest, place, distance)
    distance = nearest.take(place)
    keep, paint = _shades(radius, outer, colors)
    # A picture whose rows are not next to each other is copied and written back.
    flat = canvas_bgr.reshape(-1, 3)
    span = flat[first:]
    mixed = span.take(place, axis=0) * keep.take(distance, axis=0)
    mixed += paint.take(distance, axis=0)
    span[place] = mixed
    if not np.shares_memory(flat, canvas_bgr):
        canvas_bgr[:] = flat.reshape(canvas_bgr.shape)


def _stepped(length: float) -> float:
    """Return a length in whole steps: a face that comes nearer meets few sizes, whose tables are kept."""
    return round(length * _STEPS) / _STEPS


def _pixels_near(
    points: FloatArray, reach: int, most: float, size: tuple[int, int]
) -> tuple[npt.NDArray[np.int64], ImageArray]:
    """Return the pixels less than ``most`` from a point, counted row by row, and their distances.

    Distances are ``(N,)`` uint8 in 1/16 pixel. ``size`` is (width, height) of the picture.
    """
    fixed = np.rint(points * _STEPS).astype(np.int64)
    whole = (fixed + _STEPS // 2) // _STEPS
    part = fixed - _STEPS * whole + _STEPS // 2
    distances = _distances(reach).take(_STEPS * part[:, 1] + part[:, 0], axis=0)
    is_near = distances < most * _STEPS
    x, y = _offsets(reach)
    if (whole < reach).any() or (whole >= np.array(size) - reach).any():
        columns, rows = whole[:, :1] + x, whole[:, 1:] + y
        is_near &= (rows >= 0) & (rows < size[1]) & (columns >= 0) & (columns < size[0])
    places = (whole[:, 1] * size[0] + whole[:, 0])[:, None] + (y * size[0] + x)
    return places[is_near], distances[is_near]


@lru_cache(maxsize=32)
def _distances(reach: int) -> ImageArray:
    """Return distances in steps of the pixels around a point, ``(256, N)`` uint8, N as in :func:`_offsets`.

    A row is for a place of the point within its pixel, counted in steps along x, then y.
    """
    x, y = _offsets(reach)
    part = np.arange(_STEPS) / _STEPS - 0.5
    along, down = x - part[:, None], y - part[:, None]
    steps = _STEPS * np.hypot(down[:, None], along[None])
    return np.asarray(np.minimum(steps, 255), np.uint8).reshape(_STEPS**2, x.size)


@lru_cache(maxsize=32)
def _offsets(reach: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return x and y of the pixels up to ``reach`` from one, each ``(N,)``."""
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return x.reshape(-1).astype(np.int64), y.reshape(-1).astype(np.int64)


@lru_cache(maxsize=64)
def _shades(radius: float, outer: float, colors: tuple[Color, Color]) -> tuple[_Floats, _Floats]:
    """Return for each distance what is left of the picture and what is added, ``(256, 3)`` each."""
    distance = (np.arange(256)[:, None] + 0.5) / _STEPS
    disc, whole = (np.clip(edge + 0.5 - distance, 0, 1) for edge in (radius, outer))
    keep = np.repeat((1 - disc) * (1 - whole), 3, axis=1)
    paint = disc * np.array(colors[0]) + (1 - disc) * whole * np.array(colors[1])
    return keep.astype(np.float32), (paint + 0.5).astype(np.float32)
