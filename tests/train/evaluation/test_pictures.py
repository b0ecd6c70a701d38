from pathlib import Path

import cv2
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection

from tests.tiny import blobs, face_points
from tracker.scheme.ibug68 import EDGES
from tracker.types import FloatArray
from train.errors import DataError
from train.evaluation.pictures import photograph


def offsets(axes: Axes) -> list[FloatArray]:
    return [np.asarray(dots.get_offsets()) for dots in axes.collections if isinstance(dots, PathCollection)]


def test_a_missing_picture_is_refused() -> None:
    with pytest.raises(DataError, match=r"gone\.jpg: not an image"):
        photograph(Path("gone.jpg"), [])


def test_points_are_joined_as_their_scheme_says(tmp_path: Path) -> None:
    points = face_points()
    path = tmp_path / "own.png"
    assert cv2.imwrite(str(path), blobs(points, 2.0))
    for shown, joined in ((points, EDGES), (points[:1], ())):
        drawn = photograph(path, [shown]).axes[0].collections
        lines = [one for one in drawn if isinstance(one, LineCollection)]
        segments = [segment for line in lines for segment in line.get_segments()]
        assert np.array(segments) == pytest.approx(np.array([shown[list(edge)] for edge in joined]))


@pytest.mark.parametrize("scale", [1, 3])
def test_a_photograph_is_drawn_in_its_own_pixel_coordinates(tmp_path: Path, scale: int) -> None:
    """The drawn dots are on the picture's dots, even if the picture is shrunk for the page."""
    hw = (240 * scale, 320 * scale)
    points = face_points((160 * scale, 120 * scale), 120 * scale)
    path = tmp_path / "own.png"
    assert cv2.imwrite(str(path), blobs(points, 2.0 * scale, hw))
    figure = photograph(path, [points, points + 5])
    (axes,) = figure.axes
    assert [len(o) for o in offsets(axes)] == [68, 68]
    (image,) = axes.images
    picture = np.asarray(image.get_array())
    assert max(picture.shape[:2]) == min(320 * scale, 720)
    left, right, bottom, top = image.get_extent()
    columns = (offsets(axes)[0][:, 0] - left) / (right - left) * picture.shape[1]
    rows = (offsets(axes)[0][:, 1] - top) / (bottom - top) * picture.shape[0]
    assert picture[rows.astype(int), columns.astype(int)].min() > 150
