"""The panel of the live window for developers: tables of text and a graph of frame times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from tracker.drawing.text import draw_plate, draw_text, text_size
from tracker.drawing.theme import FACE_COLORS, LIGHT, PLATE_OPACITY, SOFT
from tracker.types import ImageArray

Table = tuple[tuple[str, ...], ...]
"""Rows of cells; the first column is aligned to the left, all others to the right."""

_LEADING = 1.4  # distance of rows over the size of the text
_GRAPH_ROWS = 2.0
_LEAST_SIZE = 6


@dataclass(frozen=True)
class Panel:
    """A ``title``, tables below it, and a graph of ``turns_ms``; any may be empty.

    ``turns_ms`` are frame times in milliseconds, the oldest first. Raises ``ValueError`` for a table whose
    rows are of different lengths.
    """

    title: str = ""
    tables: tuple[Table, ...] = ()
    turns_ms: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for table in self.tables:
            if len({len(row) for row in table}) > 1:
                raise ValueError(f"the rows of a table have equally many cells, got {table}")


NO_PANEL = Panel()


def panel_width(panel: Panel, image_hw: tuple[int, int], size: int) -> int:
    """Return how many columns of the picture from the left :func:`draw_panel` takes; 0 for an empty panel."""
    return sum(_layout(panel, image_hw, size)[1:]) if panel != NO_PANEL else 0


def draw_panel(canvas_bgr: ImageArray, panel: Panel, size: int) -> None:
    """Draw the panel on a dark, translucent plate at the top left of ``(H, W, 3)`` uint8, in place.

    ``size`` is that of the text in pixels; it shrinks until the panel fits into the picture.
    """
    if panel == NO_PANEL:
        return
    size, width, margin = _layout(panel, (canvas_bgr.shape[0], canvas_bgr.shape[1]), size)
    step, pad = _step(size), size
    draw_plate(canvas_bgr, (margin, margin), (width, _height(panel, size)), size, PLATE_OPACITY)
    left, right, y = margin + pad, margin + width - pad, margin + pad - size // 4
    if panel.title:
        draw_text(canvas_bgr, panel.title, (left, y), size, LIGHT, bold=True)
        y += step
    for table in panel.tables:
        y += step // 3
        for row in table:
            _draw_row(canvas_bgr, row, (left, right), y, size)
            y += step
    if len(panel.turns_ms) > 1:
        y += step // 3
        _draw_row(canvas_bgr, ("slowest frame", f"{max(panel.turns_ms):.0f} ms"), (left, right), y, size)
        y += step
        graph = canvas_bgr[y : y + round(_GRAPH_ROWS * step), left:right]
        _draw_graph(graph, panel.turns_ms, max(round(size / 10), 1))


def _draw_row(canvas: ImageArray, row: Sequence[str], sides: tuple[int, int], y: int, size: int) -> None:
    left, right = sides
    name, *values = row
    draw_text(canvas, name, (left, y), size, SOFT)
    for place, value in enumerate(reversed(values)):
        end = right - round(place * (right - left) / len(row))
        draw_text(canvas, value, (end - text_size(value, size)[0], y), size, LIGHT)


def _layout(panel: Panel, image_hw: tuple[int, int], size: int) -> tuple[int, int, int]:
    """Return the size of the text, the width of the plate and its distance from the corner."""
    while size > _LEAST_SIZE:
        margin = round(0.9 * size)
        if _height(panel, size) + 2 * margin <= image_hw[0] and _width(panel, size) + margin <= image_hw[1]:
            break
        size -= 1
    return size, _width(panel, size), round(0.9 * size)


def _width(panel: Panel, size: int) -> int:
    cells = [len(row) * (_widest(row, size) + size) for table in panel.tables for row in table]
    return max([text_size(panel.title, size, bold=True)[0], *cells]) + 2 * size


def _widest(row: Sequence[str], size: int) -> int:
    return max(text_size(cell, size)[0] for cell in row)


def _height(panel: Panel, size: int) -> int:
    step = _step(size)
    rows = bool(panel.title) + sum(map(len, panel.tables))
    graph = round((_GRAPH_ROWS + 4 / 3) * step) if len(panel.turns_ms) > 1 else 0
    return rows * step + len(panel.tables) * (step // 3) + graph + round(1.6 * size)


def _step(size: int) -> int:
    return round(_LEADING * size)


def _draw_graph(canvas: ImageArray, turns_ms: Sequence[float], thickness: int) -> None:
    """Draw ``turns_ms`` from left to right over the whole canvas, 0 at the bottom, the longest at the top."""
    height, width = canvas.shape[:2]
    if min(height, width) < 2:
        return
    longest = max(*turns_ms, 1e-9)
    x = np.linspace(0, width - 1, len(turns_ms))
    y = (height - 1) * (1 - np.array(turns_ms) / longest)
    curve = np.rint(np.stack([x, y], axis=1)).astype(np.int32)
    cv2.polylines(canvas, [curve], False, FACE_COLORS[0], thickness, cv2.LINE_AA)
