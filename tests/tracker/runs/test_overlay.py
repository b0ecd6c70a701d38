"""Overlay of the live window: place and size of its parts on any canvas."""

from __future__ import annotations

import numpy as np
import pytest

from tracker.drawing.panel import Panel
from tracker.drawing.text import Span, badge_size
from tracker.drawing.theme import ALERT
from tracker.runs.overlay import Overlay, draw_overlay, fitting, narrowed
from tracker.types import ImageArray

STATUS = (Span("30 fps", bold=True), Span("12 ms"), Span("resnet18"), Span("4 faces"))
HINT = (Span("0:12 / 1:40"), Span("keys", key="h"))
NOTE = (Span("saved photos/tracker-20260101-120000.png"),)
RECORDING = (Span("REC 0:12", bold=True, disc=ALERT),)
SIZES = [(240, 320), (480, 640), (720, 1280), (1080, 1920), (2160, 3840), (1280, 720)]
GREYS = [0, 128, 255]


def drawn(overlay: Overlay, hw: tuple[int, int], grey: int = 128) -> ImageArray:
    canvas = np.full((*hw, 3), grey, np.uint8)
    draw_overlay(canvas, overlay)
    return canvas


def rows_of(canvas: ImageArray, grey: int = 128) -> int:
    """Return how many rows differ from the plain picture."""
    return int((canvas != grey).any(axis=(1, 2)).sum())


@pytest.mark.parametrize("hw", SIZES)
def test_badges_have_a_24th_of_the_height_but_at_least_24_pixels(hw: tuple[int, int]) -> None:
    expected = max(min(hw[0], 0.8 * hw[1]) / 24, 24)
    assert rows_of(drawn(Overlay(STATUS, HINT), hw)) == pytest.approx(expected, abs=1.1)


@pytest.mark.parametrize("hw", SIZES)
def test_each_part_has_its_corner_and_the_middle_stays_free(hw: tuple[int, int]) -> None:
    height, width = hw
    canvas = drawn(Overlay(STATUS, HINT, (RECORDING, NOTE)), hw)
    changed = (canvas != 128).any(axis=2)
    assert changed[-height // 4 :, : width // 3].any()
    assert changed[-height // 4 :, -width // 4 :].any()
    assert changed[: height // 4, -width // 4 :].any()
    assert not changed[height // 3 : 2 * height // 3].any()
    assert not changed[: height // 2, : width // 20].any()
    edges = (changed[0], changed[-1], changed[:, 0], changed[:, -1])
    assert not any(edge.any() for edge in edges)


@pytest.mark.parametrize("grey", GREYS)
@pytest.mark.parametrize(
    "overlay", [Overlay(STATUS), Overlay(notes=(NOTE,)), Overlay(panel=Panel("model", ((("a", "1"),),)))]
)
def test_text_stands_out_from_light_and_dark_pictures(overlay: Overlay, grey: int) -> None:
    canvas = drawn(overlay, (480, 640), grey)
    assert canvas.max() > 200
    plate = canvas[(canvas != grey).any(axis=2)] if grey else canvas[canvas.max(axis=2) < 60]
    assert np.percentile(plate, 25) < 105  # behind white letters: a contrast of 5 and more


def test_the_progress_line_stands_out_from_a_white_picture() -> None:
    canvas = drawn(Overlay(progress=0.5), (480, 640), 255)
    assert (canvas[-1, :320] == 255).all()
    assert (canvas[-1, 321:] < 100).all()
    assert (canvas[-4] < 100).all()  # a dark line above the light one
    assert rows_of(canvas, 255) <= 6


@pytest.mark.parametrize(("share", "light"), [(0.0, 0), (0.25, 160), (1.0, 640)])
def test_the_progress_line_is_proportional(share: float, light: int) -> None:
    line = drawn(Overlay(progress=share), (480, 640))[-1]
    assert int((line == 255).all(axis=1).sum()) == light


@pytest.mark.parametrize("columns", [640, 320, 240, 180, 120, 60, 10])
def test_in_a_narrow_window_badges_do_not_overlap(columns: int) -> None:
    status, hint = fitting(STATUS, HINT, columns, 24)
    assert status[0] == STATUS[0]
    widths = [badge_size(spans, 24)[0] for spans in (status, hint) if spans]
    assert sum(widths) < columns or (status, hint) == (STATUS[:1], ())


def test_with_room_nothing_is_left_out() -> None:
    assert fitting(STATUS, HINT, 640, 24) == (STATUS, HINT)
    assert narrowed(NOTE, 640, 24) == NOTE


def test_a_long_note_is_shortened_in_its_middle() -> None:
    (short,) = narrowed(NOTE, 220, 24)
    assert badge_size([short], 24)[0] <= 220 - 48
    assert short.text.startswith("saved")
    assert short.text.endswith(".png")
    assert "..." in short.text


@pytest.mark.parametrize("hw", SIZES[1:])
def test_a_panel_and_notes_do_not_overlap(hw: tuple[int, int]) -> None:
    panel = Panel("resnet18 int8 on OpenVINO CPU", (tuple((f"stage {i}", "10.0 ms") for i in range(8)),))
    alone, notes = drawn(Overlay(panel=panel), hw), drawn(Overlay(panel=panel, notes=(NOTE, RECORDING)), hw)
    plate = (alone != 128).any(axis=2)
    assert np.array_equal(alone[plate], notes[plate])
    assert not np.array_equal(alone, notes)


@pytest.mark.parametrize("hw", [*SIZES, (120, 160), (24, 24), (1, 1), (30, 900), (900, 30)])
def test_everything_fits_or_is_cut_on_any_canvas(hw: tuple[int, int]) -> None:
    panel = Panel("model", ((("a", "1"),) * 20,), (1.0, 2.0))
    full = Overlay(STATUS, HINT, (RECORDING, NOTE, NOTE), panel, shows_help=True, progress=0.5)
    assert drawn(full, hw).shape == (*hw, 3)


@pytest.mark.parametrize("hw", SIZES)
def test_the_help_is_within_the_picture_and_dark_enough_to_read(hw: tuple[int, int]) -> None:
    canvas = drawn(Overlay(shows_help=True), hw, 255)
    changed = (canvas != 255).any(axis=2)
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    assert rows[0] > 0
    assert rows[-1] < hw[0] - 1
    assert columns[0] > 0
    assert columns[-1] < hw[1] - 1
    middle = canvas[rows[0] + 2 : rows[-1] - 1, hw[1] // 2]
    assert np.percentile(middle, 20) < 60


def test_the_help_takes_the_place_of_the_panel() -> None:
    panel = Panel("model", ((("show", "1 ms"),),))
    np.testing.assert_array_equal(
        drawn(Overlay(panel=panel, shows_help=True), (480, 640)), drawn(Overlay(shows_help=True), (480, 640))
    )
