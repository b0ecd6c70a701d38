from __future__ import annotations

import numpy as np
import pytest

from tracker.drawing.panel import NO_PANEL, Panel, draw_panel, panel_width
from tracker.types import ImageArray

STAGES = (("detect", "1.8 ms"), ("crop", "0.2 ms"), ("infer", "4.1 ms"))
FACES = (("face", "score", "yaw"), ("1", "0.98", "-12"), ("2", "0.71", "+3"))


def drawn(panel: Panel, width: int = 640, height: int = 480, size: int = 12) -> ImageArray:
    canvas = np.full((height, width, 3), 255, np.uint8)
    draw_panel(canvas, panel, size)
    return canvas


@pytest.mark.parametrize("turns_ms", [(), (5.0, 20.0, 5.0)])
@pytest.mark.parametrize(("width", "height"), [(320, 240), (640, 480), (3840, 2160)])
def test_the_panel_fits_and_is_legible(width: int, height: int, turns_ms: tuple[float, ...]) -> None:
    panel = Panel("resnet18", (STAGES, FACES), turns_ms)
    size = max(height // 48, 12)
    canvas = drawn(panel, width, height, size)
    plate = (canvas != 255).any(axis=2)
    assert plate[: height // 4, : width // 8].any()
    assert not plate[:, -1].any()
    assert not plate[-1].any()
    assert np.flatnonzero(plate.any(axis=0))[-1] < panel_width(panel, (height, width), size) <= width
    assert canvas[plate].min() < 110
    assert canvas[plate].max() > 200


def test_an_empty_panel_draws_nothing_and_takes_no_place() -> None:
    assert (drawn(NO_PANEL) == 255).all()
    assert panel_width(NO_PANEL, (480, 640), 12) == 0


@pytest.mark.parametrize("table", [(("E", "8.8"), ("EEE", "888.8")), (("EEE", "8.8"), ("E", "888.8"))])
def test_names_begin_and_values_end_below_each_other(table: tuple[tuple[str, str], ...]) -> None:
    canvas = np.zeros((480, 640, 3), np.uint8)
    draw_panel(canvas, Panel("", (table,)), 20)
    letters = canvas.min(axis=2) > 150
    rows = np.flatnonzero(letters.any(axis=1))
    first, second = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)
    (left, right), (left_below, right_below) = (
        np.flatnonzero(letters[row].any(axis=0))[[0, -1]] for row in (first, second)
    )
    assert abs(left - left_below) <= 1
    assert abs(right - right_below) <= 1


def test_the_graph_is_proportional_to_the_frame_times() -> None:
    def heights(*turns_ms: float) -> list[int]:
        """Return the height of the curve in each column, in pixels."""
        canvas = drawn(Panel("model", (STAGES,), turns_ms)).astype(int)
        curve = canvas[..., 1] - canvas[..., 2] > 60  # turquoise; text and background are grey
        rows = np.flatnonzero(curve.any(axis=1))
        columns = np.flatnonzero(curve.any(axis=0))
        return [int(rows[-1] - np.flatnonzero(curve[:, x])[0]) for x in columns]

    rising = heights(*np.linspace(0.0, 40.0, 9))
    assert rising[0] <= 1
    assert rising[-1] == max(rising) > 15
    assert abs(rising[len(rising) // 2] - rising[-1] / 2) <= 2
    spike = heights(*[2.0] * 20, 40.0, *[2.0] * 20)
    assert 0.4 < int(np.argmax(spike)) / len(spike) < 0.6
    assert max(heights(0.0, 0.0, 0.0)) <= 1


@pytest.mark.parametrize("hw", [(1, 1), (2, 300), (9, 4)])
def test_a_picture_too_small_for_text_is_not_an_error(hw: tuple[int, int]) -> None:
    assert drawn(Panel("model", (STAGES, FACES), (1.0, 2.0)), hw[1], hw[0]).shape == (*hw, 3)


def test_rows_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="equally many"):
        Panel("", ((("a", "b"), ("c",)),))
