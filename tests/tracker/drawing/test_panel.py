from __future__ import annotations

import numpy as np
import pytest

from tracker.drawing.panel import Panel, draw_panel
from tracker.types import ImageArray

LINES = ("37.2 FPS (loop)", "detect 1.8  crop 0.2  infer 4.1 ms (median of 2 s)")


def drawn(panel: Panel, width: int = 640, height: int = 480) -> ImageArray:
    canvas = np.full((height, width, 3), 255, np.uint8)
    draw_panel(canvas, panel)
    return canvas


@pytest.mark.parametrize("turns_ms", [(), (5.0, 20.0, 5.0)])
@pytest.mark.parametrize(("width", "height"), [(320, 240), (120, 90), (3840, 2160)])
def test_the_panel_fits_and_is_legible(width: int, height: int, turns_ms: tuple[float, ...]) -> None:
    canvas = drawn(Panel(LINES, turns_ms), width, height)
    panel = (canvas != 255).any(axis=2)
    assert panel[0, 0]
    assert not panel[:, -1].any()
    assert panel.any(axis=1).sum() < height / 3
    ink = canvas[panel]
    assert ink.min() < 80
    assert ink.max() > 200


def test_a_panel_without_lines_draws_nothing() -> None:
    assert (drawn(Panel(turns_ms=(1.0, 2.0))) == 255).all()


def test_the_graph_is_proportional_to_the_frame_times() -> None:
    def heights(*turns_ms: float) -> list[int]:
        """Return the height of the curve in each column, in pixels."""
        canvas = drawn(Panel(LINES, turns_ms)).astype(int)
        curve = canvas[..., 0] - canvas[..., 2] > 60  # blue; text and background are grey
        rows = np.flatnonzero(curve.any(axis=1))
        columns = np.flatnonzero(curve.any(axis=0))
        return [int(rows[-1] - np.flatnonzero(curve[:, x])[0]) for x in columns]

    rising = heights(*np.linspace(0.0, 40.0, 9))
    assert rising[0] <= 1
    assert rising[-1] == max(rising) > 20
    assert abs(rising[len(rising) // 2] - rising[-1] / 2) <= 2
    spike = heights(*[2.0] * 20, 40.0, *[2.0] * 20)
    assert 0.4 < int(np.argmax(spike)) / len(spike) < 0.6
    assert max(heights(0.0, 0.0, 0.0)) <= 1


@pytest.mark.parametrize("hw", [(1, 1), (2, 300), (9, 4)])
def test_a_picture_too_small_for_text_is_not_an_error(hw: tuple[int, int]) -> None:
    assert drawn(Panel(LINES, (1.0, 2.0)), hw[1], hw[0]).shape == (*hw, 3)


def test_lines_are_added_below() -> None:
    assert Panel(("a",), (1.0,)).with_lines("b", "c") == Panel(("a", "b", "c"), (1.0,))
