"""The status panel of the live window: lines of text and a graph of frame times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from tracker.drawing.faces import LIGHT, PALETTE, put_text, text_size
from tracker.types import ImageArray

_GRAPH_ROWS = 2.0
_GRAPH_COLOR = PALETTE[0]


@dataclass(frozen=True)
class Panel:
    """Status panel: lines of ASCII text, then a graph of ``turns_ms``; either may be empty.

    ``turns_ms`` are frame times in milliseconds, the oldest first.
    """

    lines: tuple[str, ...] = ()
    turns_ms: tuple[float, ...] = ()

    def with_lines(self, *more: str) -> Panel:
        """Return the panel with ``more`` lines below."""
        return replace(self, lines=(*self.lines, *more))


NO_PANEL = Panel()


def draw_panel(canvas_bgr: ImageArray, panel: Panel) -> None:
    """Draw the panel on a dimmed background in the top-left corner of ``(H, W, 3)`` uint8, in place.

    The text size depends on the picture's height, and shrinks until the widest line fits.
    """
    if not panel.lines:
        return
    height, width = canvas_bgr.shape[:2]
    scale = min(max(height / 1100, 0.38), 2.0)
    widest = max(text_size(line, scale)[0] for line in panel.lines)
    scale *= min(1.0, 0.94 * width / max(widest, 1))
    row = round(34 * scale)
    pad = max(round(10 * scale), 2)
    right = max(text_size(line, scale)[0] for line in panel.lines) + 2 * pad
    bottom = row * len(panel.lines) + pad
    graph_height = round(_GRAPH_ROWS * row) if len(panel.turns_ms) > 1 else 0
    background = canvas_bgr[: bottom + graph_height, :right]
    background[:] = background // 4  # dark enough for text, light enough to see the picture
    for i, line in enumerate(panel.lines):
        put_text(canvas_bgr, line, (pad, row * (i + 1) - pad // 2), scale, LIGHT)
    if graph_height > pad:
        graph = canvas_bgr[bottom : bottom + graph_height - pad, pad : right - pad]
        _draw_graph(graph, panel.turns_ms, scale)


def _draw_graph(canvas: ImageArray, turns_ms: Sequence[float], scale: float) -> None:
    """Draw ``turns_ms`` from left to right over the whole canvas, 0 at the bottom, the longest at the top."""
    height, width = canvas.shape[:2]
    if min(height, width) < 2:
        return
    longest = max(*turns_ms, 1e-9)
    x = np.linspace(0, width - 1, len(turns_ms))
    y = (height - 1) * (1 - np.array(turns_ms) / longest)
    curve = np.rint(np.stack([x, y], axis=1)).astype(np.int32)
    cv2.polylines(canvas, [curve], False, _GRAPH_COLOR, 1, cv2.LINE_AA)
    text = f"frames took up to {longest:.0f} ms"
    put_text(canvas, text, (0, text_size(text, scale)[1] + 1), scale, LIGHT)
