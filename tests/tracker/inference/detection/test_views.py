"""Views: each face lies whole in some close-up, sides are on the grid, and maps turn as pictures do."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faces import astronaut
from tests.strategies import floats
from tracker.geometry import Stretch
from tracker.inference.detection.blazeface import BlazeFace
from tracker.inference.detection.views import (
    BORDERED,
    BORDERED_VIEW,
    COARSEST,
    GRID,
    LEVELS,
    MAX_ENLARGED,
    MIN_FACE,
    TILE,
    View,
    close_ups,
    passes,
    whole_at,
    whole_picture,
    with_border,
)
from tracker.types import Frame

SLACK = 1e-6  # pixels, far above the rounding of float64 at 9000 pixels

Array = npt.NDArray[Any]
lengths = st.integers(1, 9000)


def borders(view: View) -> tuple[float, float, float, float]:
    """The left, top, right and bottom of an upright view in frame pixels."""
    (x0, y0), (x1, y1) = view.to_frame(np.array([[0.0, 0.0], view.size]))
    return x0, y0, x1, y1


def hardest_faces(views: list[View], image_hw: tuple[int, int], size: float) -> Array:
    """Top left corners ``(N, 2)`` of faces that start just behind the left and top borders of the views."""
    height, width = image_hw
    starts = np.array([borders(view)[:2] for view in views]) + 100 * SLACK
    x, y = (np.unique(np.clip(starts[:, i], 0, side - size)) for i, side in enumerate((width, height)))
    return np.array(list(itertools.product(x, y)))


@given(height=st.integers(200, 3000), width=st.integers(200, 3000))
def test_a_face_too_small_for_the_pass_before_lies_completely_in_a_close_up(height: int, width: int) -> None:
    tiles = [view for view in close_ups((height, width)) if max(view.size) <= TILE]
    for scale in {view.scale for view in tiles}:
        same = [view for view in tiles if view.scale == scale]
        size = min(2 * MIN_FACE * scale, height, width)
        squares = np.array([borders(view) for view in same])
        for x, y in hardest_faces(same, (height, width), size):
            whole = (squares[:, 0] <= x + SLACK) & (x + size <= squares[:, 2] + SLACK)
            assert (whole & (squares[:, 1] <= y + SLACK) & (y + size <= squares[:, 3] + SLACK)).any()


@pytest.mark.parametrize(
    ("image_hw", "views", "smallest_face"),
    [((1080, 1920), 25, 38), ((1920, 1080), 25, 38), ((480, 640), 7, 25), ((360, 640), 7, 25)],
)
def test_close_ups_of_usual_pictures(image_hw: tuple[int, int], views: int, smallest_face: int) -> None:
    found = close_ups(image_hw)
    assert len(found) == views
    assert round(MIN_FACE * min(view.scale for view in found)) == smallest_face


@given(height=lengths, width=lengths, quarters=st.integers(0, 3))
def test_passes_show_the_whole_picture_on_the_grid_and_hardly_enlarge_it(
    height: int, width: int, quarters: int
) -> None:
    found = passes((height, width), quarters)
    assert len(found) == 1 + sum(level <= MAX_ENLARGED * max(height, width) for level in LEVELS)
    for view in found:
        assert view.center == (width / 2, height / 2)
        assert all(side % GRID == 0 for side in view.size)
        assert view.reach[0] >= width / 2 - SLACK
        assert view.reach[1] >= height / 2 - SLACK
        assert view.quarters == quarters
    assert all(view.scale >= 1 / MAX_ENLARGED for view in found[1:])
    assert max(found[0].size) == COARSEST


@pytest.mark.parametrize("image_hw", [(1, 1), (1, 190), (127, 128)])
def test_small_pictures_have_no_close_ups(image_hw: tuple[int, int]) -> None:
    assert close_ups(image_hw) == ()
    assert passes(image_hw) == (whole_at(image_hw, COARSEST),)


@given(height=lengths, width=lengths)
def test_the_whole_picture_lies_in_the_middle_of_its_view(height: int, width: int) -> None:
    side = max(height, width)
    low = np.array([width - side, height - side]) / 2
    view = whole_picture((height, width))
    np.testing.assert_allclose(borders(view), [*low, *(low + side)], rtol=0, atol=1e-8)


@given(x=floats(0, 64), y=floats(0, 32), quarters=st.integers(0, 3))
def test_a_turned_view_maps_points_as_turning_the_picture_does(x: float, y: float, quarters: int) -> None:
    """In a picture turned back by the quarters the head is upright, and the view shows that picture."""
    height, width = (32, 64) if quarters % 2 == 0 else (64, 32)  # of the frame: the view is 64 x 32
    view = View((width / 2, height / 2), 1.0, (64, 32), quarters)
    expected = [(x, y), (width - y, x), (width - x, height - y), (y, height - x)][quarters]
    np.testing.assert_allclose(view.to_frame(np.array([x, y])), expected, rtol=0, atol=1e-9)
    assert view.reach == (width / 2, height / 2)


@pytest.mark.parametrize(
    ("scale", "size", "quarters"), [(1, (15, 16), 0), (1, (0, 16), 0), (0, (16, 16), 0), (1, (16, 16), 4)]
)
def test_a_view_off_the_grid_or_without_scale_is_refused(
    scale: float, size: tuple[int, int], quarters: int
) -> None:
    with pytest.raises(ValueError, match="view"):
        View((0.0, 0.0), scale, size, quarters)


@given(lengths, lengths)
def test_the_view_with_a_border_shows_the_whole_picture_in_its_middle(height: int, width: int) -> None:
    x0, y0, x1, y1 = borders(with_border((height, width)))
    margin = (BORDERED_VIEW / BORDERED - 1) / 2 * max(height, width)
    assert min(-x0, -y0, x1 - width, y1 - height) >= margin - SLACK
    assert (x0 + x1, y0 + y1) == pytest.approx((width, height))


def test_a_face_that_fills_the_picture_is_found(detector: BlazeFace) -> None:
    tight = np.ascontiguousarray(astronaut()[72:205, 120:250])
    (box,) = detector.detect(Frame(tight))
    assert 80 < box.height < 140


@given(floats(1 / 8, 8), st.integers(0, 3), floats(0, 128), floats(0, 128))
def test_a_view_samples_the_stored_pixels_that_show_the_same_place(
    aspect: float, quarters: int, x: float, y: float
) -> None:
    stretch, view = Stretch.of(aspect), whole_at((480, 640), 256, quarters)
    place = np.array([x, y, 1.0])
    assert view.matrix(stretch) @ place == pytest.approx(stretch.to_stored(view.matrix() @ place), abs=1e-9)
