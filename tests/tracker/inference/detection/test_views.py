"""Views: each face lies whole in some close-up, and no close-up enlarges the picture."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.strategies import floats
from tracker.geometry import CropTransform
from tracker.inference.detection.views import NEEDED_SHARE, close_ups, whole_picture

SIZE = 128
SLACK = 1e-6  # pixels or shares, far above the rounding of float64 at 9000 pixels

Array = npt.NDArray[Any]
lengths = st.integers(1, 9000)


def square_of(view: CropTransform) -> tuple[float, float, float, float]:
    """The left, top, right and bottom of a view in frame pixels."""
    (x0, y0), (x1, y1) = view.to_frame(np.array([[0.0, 0.0], [SIZE, SIZE]]))
    return x0, y0, x1, y1


def all_views(image_hw: tuple[int, int]) -> list[CropTransform]:
    return [whole_picture(image_hw, SIZE), *close_ups(image_hw, SIZE)]


def hardest_faces(image_hw: tuple[int, int], sizes: list[float]) -> Array:
    """Faces ``(N, 3)``, left, top, side, that start just behind the left and top borders of the views.

    A face that starts there has missed that view and must end within the next one. Of each size in
    ``sizes`` that is not below what any view is for and fits in the picture.
    """
    height, width = image_hw
    borders = np.array([square_of(view)[:2] for view in all_views(image_hw)]) + 100 * SLACK
    smallest = NEEDED_SHARE * min(view.side for view in all_views(image_hw))
    fitting = [size for size in sizes if smallest <= size <= min(image_hw)]
    faces = [
        (min(max(x, 0.0), width - size), min(max(y, 0.0), height - size), size)
        for size in fitting
        for x, y in itertools.product(np.unique(borders[:, 0]), np.unique(borders[:, 1]))
    ]
    return np.array(faces).reshape(-1, 3)


def unseen(faces: Array, image_hw: tuple[int, int]) -> Array:
    """The ``faces`` that do not lie completely in a view of which they span :data:`NEEDED_SHARE`."""
    x, y, size = faces.T
    seen = np.zeros(len(faces), bool)
    for view in all_views(image_hw):
        left, top, right, bottom = square_of(view)
        whole = (left <= x + SLACK) & (x + size <= right + SLACK)
        whole &= (top <= y + SLACK) & (y + size <= bottom + SLACK)
        seen |= whole & (size >= NEEDED_SHARE * view.side - SLACK)
    return faces[~seen]


def critical_sizes(image_hw: tuple[int, int]) -> list[float]:
    """Sizes of faces at which a finer view is needed, and sizes just below."""
    needed = {NEEDED_SHARE * view.side for view in all_views(image_hw)}
    return [size - step for size in needed for step in (0.0, 200 * SLACK)]


@given(short=st.integers(30, 5000), ratio=floats(1, 2), upright=st.booleans(), share=floats(0, 1))
def test_each_face_lies_completely_in_a_view_of_which_it_spans_enough(
    short: int, ratio: float, upright: bool, share: float
) -> None:
    image_hw = (int(short * ratio), short) if upright else (short, int(short * ratio))
    faces = hardest_faces(image_hw, [*critical_sizes(image_hw), share * short, float(short)])
    assert len(unseen(faces, image_hw)) == 0


@given(short=st.integers(SIZE * 3 // 2, 2000), ratio=floats(2, 8), share=floats(0, 1))
def test_long_pictures_cut_only_faces_of_the_documented_sizes(short: int, ratio: float, share: float) -> None:
    image_hw = (short, int(short * ratio))
    sizes = [*critical_sizes(image_hw), share * short, short / 3 - 200 * SLACK, float(short)]
    left = unseen(hardest_faces(image_hw, sizes), image_hw)[:, 2]
    assert ((left >= short / 3 - 100 * SLACK) & (left <= image_hw[1] / 6)).all()


@pytest.mark.parametrize(
    ("image_hw", "views", "smallest_face"),
    [((1080, 1920), 40, 60), ((1920, 1080), 40, 60), ((480, 640), 30, 27), ((360, 640), 8, 40)],
)
def test_views_of_usual_pictures(image_hw: tuple[int, int], views: int, smallest_face: int) -> None:
    tiles = close_ups(image_hw, SIZE)
    assert len(tiles) == views
    assert round(NEEDED_SHARE * min(tile.side for tile in tiles)) == smallest_face


@given(height=lengths, width=lengths)
def test_close_ups_stay_inside_the_picture_and_enlarge_nothing(height: int, width: int) -> None:
    assume(max(height, width) < 10 * min(height, width))
    for view in close_ups((height, width), SIZE):
        left, top, right, bottom = square_of(view)
        assert min(left, top) > -SLACK
        assert right < width + SLACK
        assert bottom < height + SLACK
        assert view.scale >= 1.0
        assert view.size == SIZE
        assert view.angle == 0.0


@pytest.mark.parametrize("image_hw", [(1, 1), (1, 9000), (191, 340), (127, 128)])
def test_small_pictures_have_no_close_ups(image_hw: tuple[int, int]) -> None:
    assert close_ups(image_hw, SIZE) == ()


@given(height=lengths, width=lengths)
def test_the_whole_picture_lies_in_the_middle_of_its_view(height: int, width: int) -> None:
    view = whole_picture((height, width), SIZE)
    side = max(height, width)
    low = np.array([width - side, height - side]) / 2
    np.testing.assert_allclose(square_of(view), [*low, *(low + side)], rtol=0, atol=1e-8)
    points = np.random.default_rng(0).uniform(-10, side + 10, (20, 2))
    np.testing.assert_allclose(view.to_frame(view.to_crop(points)), points, rtol=0, atol=1e-8)
