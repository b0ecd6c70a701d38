"""Pictures with points on them, as inline SVG: lines stay sharp at any size, and colours follow the page."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Literal

import cv2
import numpy as np

from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.imm58 import IMM58
from tracker.types import FloatArray, ImageArray
from train.errors import DataError

Style = Literal["label", "answer", "other"]
"""Look of a set of points: what people labelled, what the network answers, and a second answer beside it."""

_EDGES = {scheme.n_points: scheme.edges for scheme in (IBUG68, IMM58)}

_LINE_PX, _DOT_PX, _SHAPE_PX, _HALO_PX = 1.3, 3.4, 2.5, 1.5
"""Widths on the screen, whatever the size of the picture."""
_SHAPES_ACROSS = 36
"""A single point is a shape with a radius of that fraction of the picture's width."""
_SMALL_PX = 160
"""Width of a picture up to which its pixels are shown as squares: it is what a network sees."""


@dataclass(frozen=True, eq=False)
class Marks:
    """Points ``(P, 2)`` in the pixels of a picture, drawn in one ``style``.

    A whole face is ``joined`` as its scheme says, and a single point drawn as a shape.
    """

    points: FloatArray
    style: Style
    joined: bool = True

    def __post_init__(self) -> None:
        if self.points.ndim != 2 or self.points.shape[1] != 2 or not np.isfinite(self.points).all():
            raise DataError(f"marks are finite points (P, 2), got shape {self.points.shape}")


@dataclass(frozen=True, eq=False)
class Tile:
    """A grey ``(H, W)`` or BGR ``(H, W, 3)`` picture with points on it; ``alt`` describes it in words."""

    picture: ImageArray
    alt: str
    marks: tuple[Marks, ...] = ()


@dataclass(frozen=True, eq=False)
class Item:
    """Tiles that stand side by side above one caption."""

    tiles: tuple[Tile, ...]
    caption: str


def edges(points: int) -> tuple[tuple[int, int], ...]:
    """Return the pairs of points that a drawing joins, for a face of that number of ``points``."""
    return _EDGES.get(points, ())


def tile_svg(tile: Tile) -> str:
    """Return ``tile`` as an SVG element in the picture's pixels: (0, 0) is the centre of the first."""
    height, width = tile.picture.shape[:2]
    box = f"-0.5 -0.5 {width} {height}"
    look = ' style="image-rendering: pixelated"' if width <= _SMALL_PX else ""
    place = f'x="-0.5" y="-0.5" width="{width}" height="{height}"'
    image = f'<image {place} href="{_data_url(tile.picture)}"{look}></image>'
    drawn = "".join(_drawn(marks, width / _SHAPES_ACROSS) for marks in tile.marks)
    return f'<svg viewBox="{box}" role="img" aria-label="{escape(tile.alt)}">{image}{drawn}</svg>'


def swatch(style: Style, single: bool) -> str:
    """Return a small drawing of ``style`` for a legend, of a ``single`` point or of three that are joined."""
    points = np.array([[6.0, 8.0], [20.0, 8.0], [34.0, 8.0]])
    drawn = _single(points[1], style, 5.0) if single else _face(points, ((0, 1), (1, 2)), style)
    return f'<svg viewBox="0 0 40 16" aria-hidden="true">{drawn}</svg>'


def _drawn(marks: Marks, radius: float) -> str:
    """Return the paths of ``marks``; a single point is a shape of that ``radius`` in the picture's pixels."""
    if marks.joined and len(marks.points) == 1:
        return _single(marks.points[0], marks.style, radius)
    return _face(marks.points, edges(len(marks.points)) if marks.joined else (), marks.style)


def _single(point: FloatArray, style: Style, radius: float) -> str:
    return _stroke(_SHAPES[style](float(point[0]), float(point[1]), radius), style, _SHAPE_PX)


def _face(points: FloatArray, joined: tuple[tuple[int, int], ...], style: Style) -> str:
    lines = "".join(f"M{_at(points[start])}L{_at(points[end])}" for start, end in joined)
    dots = "".join(f"M{_at(point)}h0" for point in points)  # a round cap makes a dot of no length
    edge = _stroke(lines, style, _LINE_PX, dashed=style == "label") if lines else ""
    return edge + _stroke(dots, style, _DOT_PX)


def _stroke(path: str, style: Style, width_px: float, dashed: bool = False) -> str:
    """Return ``path`` in the colour of ``style`` on a dark rim, ``width_px`` wide on the screen."""
    dashes = ' stroke-dasharray="4 3.5"' if dashed else ""
    rim = f'<path class="halo" stroke-width="{width_px + _HALO_PX:g}"{dashes} d="{path}"></path>'
    return f'{rim}<path class="{style}" stroke-width="{width_px:g}"{dashes} d="{path}"></path>'


def _ring(x: float, y: float, r: float) -> str:
    return f"M{x - r:.1f} {y:.1f}a{r:.1f} {r:.1f} 0 1 0 {2 * r:.1f} 0a{r:.1f} {r:.1f} 0 1 0 {-2 * r:.1f} 0"


def _cross(x: float, y: float, r: float) -> str:
    side = 0.7 * r
    ends = f"M{x - side:.1f} {y + side:.1f}l{2 * side:.1f} {-2 * side:.1f}"
    return f"M{x - side:.1f} {y - side:.1f}l{2 * side:.1f} {2 * side:.1f}{ends}"


def _diamond(x: float, y: float, r: float) -> str:
    return f"M{x - r:.1f} {y:.1f}l{r:.1f} {r:.1f}l{r:.1f} {-r:.1f}l{-r:.1f} {-r:.1f}z"


_SHAPES: dict[Style, Callable[[float, float, float], str]] = {
    "label": _ring,
    "answer": _cross,
    "other": _diamond,
}


def _at(point: FloatArray) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"


def _data_url(picture: ImageArray) -> str:
    """Encode without loss what is grey; a map over a face is smooth, and a JPEG a fifth as large."""
    kind, options = ("png", []) if picture.ndim == 2 else ("jpeg", [cv2.IMWRITE_JPEG_QUALITY, 92])
    done, data = cv2.imencode(f".{kind}", picture, options)
    if not done:
        raise DataError(f"a picture of shape {picture.shape} cannot be encoded as {kind}")
    return f"data:image/{kind};base64,{base64.b64encode(data.tobytes()).decode()}"
