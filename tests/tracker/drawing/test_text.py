from __future__ import annotations

import numpy as np
import pytest

from tracker.drawing.text import (
    Corner,
    Span,
    badge_size,
    draw_badge,
    draw_key,
    draw_pill,
    draw_plate,
    draw_text,
    key_width,
    text_size,
)
from tracker.drawing.theme import ALERT, FACE_COLORS
from tracker.types import ImageArray

TEXTS = (Span("30 fps", bold=True), "12 ms", "resnet18", "1 face")


def grey(hw: tuple[int, int] = (480, 640), level: int = 128) -> ImageArray:
    return np.full((*hw, 3), level, np.uint8)


def box_of(canvas: ImageArray, level: int = 128) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of what was drawn on grey."""
    rows, columns = np.nonzero((canvas != level).any(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


@pytest.mark.parametrize("level", [0, 128, 255])
def test_white_text_on_a_badge_is_legible_on_any_picture(level: int) -> None:
    canvas = grey(level=level)
    draw_badge(canvas, "bottom left", TEXTS)
    badge = canvas[440:470, 20:150].astype(float) / 255
    light, dark = (float(np.percentile(badge, q) ** 2.2) for q in (99.5, 20))
    assert (light + 0.05) / (dark + 0.05) > 4.5  # contrast of WCAG AA


def test_a_badge_is_translucent_round_and_in_its_corner() -> None:
    canvas = grey(level=255)
    draw_badge(canvas, "bottom left", ["text"])
    left, top, right, bottom = box_of(canvas, 255)
    assert (bottom - top, left) == (24, 480 - bottom)
    assert 0 < left < 24
    assert right < 120
    assert (canvas[top, left] > 250).all()  # the corner is cut
    middle = canvas[top + 2, (left + right) // 2].astype(float)
    assert 70 < middle.mean() < 120  # two thirds opaque on white


CORNERS: list[tuple[Corner, bool, bool]] = [
    ("top left", True, True),
    ("top right", True, False),
    ("bottom left", False, True),
    ("bottom right", False, False),
]


@pytest.mark.parametrize(("corner", "at_top", "at_left"), CORNERS)
def test_badges_lie_in_their_corner_and_stack_inwards(corner: Corner, at_top: bool, at_left: bool) -> None:
    first, second = grey(), grey()
    draw_badge(first, corner, ["text"])
    draw_badge(second, corner, ["text"], row=1)
    left, top, right, bottom = box_of(first)
    assert (bottom < 100) == at_top
    assert (right < 200) == at_left
    moved = box_of(second)
    assert (moved[0], moved[2]) == (left, right)
    assert (moved[1] >= bottom) if at_top else (moved[3] <= top)


@pytest.mark.parametrize("corner", ["middle", "bottom middle"])
def test_a_badge_can_be_centred(corner: Corner) -> None:
    canvas = grey()
    draw_badge(canvas, corner, ["text"])
    left, _, right, _ = box_of(canvas)
    assert abs(left + right - 640) <= 1


@pytest.mark.parametrize("hw", [(1, 1), (9, 30), (60, 80), (240, 160)])
def test_a_badge_wider_than_the_picture_shrinks(hw: tuple[int, int]) -> None:
    canvas = grey(hw)
    draw_badge(canvas, "bottom left", TEXTS)
    assert canvas.shape == (*hw, 3)
    if hw[1] >= 160:  # below, letters would have less than six pixels
        assert box_of(canvas)[2] < hw[1]


def test_sizes_are_those_of_what_is_drawn() -> None:
    canvas, width = grey((60, 900)), badge_size(TEXTS, 36)[0]
    draw_plate(canvas, (0, 0), (900, 60), 0)
    draw_badge(canvas, "top left", TEXTS, height=36)
    assert width > badge_size(TEXTS[:1], 36)[0]
    assert text_size("ll", 20)[1] == text_size("Wg", 20)[1]
    assert text_size("a b", 20)[0] > text_size("ab", 20)[0] + 4
    assert text_size("text", 20, bold=True)[0] >= text_size("text", 20)[0]
    assert text_size("", 20)[0] >= 1


def test_capitals_are_in_the_middle_of_their_line() -> None:
    canvas, height = grey((80, 200)), text_size("H", 40)[1]
    draw_text(canvas, "H", (10, 10), 40)
    _, top, _, bottom = box_of(canvas)
    assert abs((top + bottom) / 2 - (10 + height / 2)) <= 1


def test_letters_that_the_font_lacks_are_replaced() -> None:
    plain, accented = grey(), grey()
    draw_text(plain, "Zoe ?? o", (5, 5), 20)
    draw_text(accented, "Zoé 中文 ö", (5, 5), 20)
    np.testing.assert_array_equal(plain, accented)


def test_a_disc_stands_before_its_text() -> None:
    canvas = grey(level=0)
    draw_badge(canvas, "top right", [Span("REC", bold=True, disc=ALERT)])
    red = (canvas == ALERT).all(axis=2)
    white = (canvas > 200).all(axis=2)
    assert red.sum() > 30
    assert np.nonzero(red)[1].max() < np.nonzero(white)[1].min()


@pytest.mark.parametrize("place", [(-20.0, -30.0), (635.0, 478.0), (300.4, 200.7), (1e6, -1e6)])
def test_text_may_lie_outside_and_a_pill_is_moved_inside(place: tuple[float, float]) -> None:
    canvas = grey()
    draw_text(canvas, "text", place, 20)
    canvas = grey()
    draw_pill(canvas, "12", place, 20, FACE_COLORS[0])
    left, top, right, bottom = box_of(canvas)
    assert 20 <= bottom - top <= 21
    assert right - left > 20


def test_a_pill_moves_by_fractions_of_a_pixel() -> None:
    # The weighted centre follows; a pill that jumps from pixel to pixel trembles beside a steady face.
    centers = []
    for x in np.arange(100.0, 101.01, 0.25):
        canvas = grey(level=0)
        draw_pill(canvas, "1", (x, 100.0), 20, (255, 255, 255))
        weight = canvas.sum(axis=(0, 2), dtype=float)
        centers.append(float((weight * np.arange(640)).sum() / weight.sum()))
    np.testing.assert_allclose(np.diff(centers), 0.25, atol=0.03)


@pytest.mark.parametrize("key", ["h", "Space"])
def test_a_key_is_a_pale_cap_before_what_it_does(key: str) -> None:
    plain, capped = grey(level=0), grey(level=0)
    draw_badge(plain, "bottom left", ["keys"], height=40)
    draw_badge(capped, "bottom left", [Span("keys", key=key)], height=40)
    added = box_of(capped, 0)[2] - box_of(plain, 0)[2]
    cap = key_width(key, 20)
    assert text_size(key, 20, bold=True)[0] < cap < added < cap + 20
    pale = (capped > 50).all(axis=2) & (capped < 90).all(axis=2)
    assert pale.sum() > 0.3 * cap * text_size(key, 20)[1]
    canvas = grey(level=0)
    draw_key(canvas, key, (10, 10), 20)
    assert box_of(canvas, 0)[2] - 10 == cap


@pytest.mark.parametrize("size", [12, 15, 22, 45])
def test_bold_letters_do_not_touch(size: int) -> None:
    for text in ("REC", "30", "0:07"):
        canvas = grey((60, 400), 0)
        draw_text(canvas, text, (10, 10), size, bold=True)
        inked = canvas.max(axis=(0, 2)) > 150
        assert (np.diff(inked.astype(int)) == 1).sum() >= len(text), text


@pytest.mark.parametrize("size", [12, 15, 22, 45])
def test_bold_letters_have_more_ink_and_keep_the_dot_of_an_i(size: int) -> None:
    ink = {}
    for bold in (False, True):
        canvas = grey((80, 80), 0)
        draw_text(canvas, "i", (10, 10), size, bold=bold)
        inked = canvas.max(axis=(1, 2)).astype(int)
        gap = inked[inked.argmax() :]
        assert (np.diff((inked > 170).astype(int)) == 1).sum() == 2, gap  # the dot, then the stem
        ink[bold] = canvas.sum(dtype=int)
    assert ink[True] > 1.25 * ink[False]
