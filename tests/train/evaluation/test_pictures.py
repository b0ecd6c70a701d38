import math
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from matplotlib.axes import Axes

from tests.tiny import blobs, face_points
from tests.train.evaluation.examples import evaluation
from tracker.types import FloatArray
from train.errors import DataError
from train.evaluation.pictures import (
    PREDICTED_COLOUR,
    TRUTH_COLOUR,
    Tile,
    example_tiles,
    face_tile,
    photograph,
    ranked,
    tile_grid,
)
from train.evaluation.results import Evaluation


def offsets(axes: Axes) -> list[FloatArray]:
    return [np.asarray(dots.get_offsets()) for dots in axes.collections]


def test_faces_are_ranked_by_error_and_misses_are_worst() -> None:
    made = evaluation({"lfpw": [3, 1, math.inf, 2, 9]})
    assert ranked(made, 2, worst=False) == [1, 3]
    assert ranked(made, 3, worst=True) == [2, 4, 0]
    assert len(ranked(made, 12, worst=True)) == 5


@pytest.fixture
def drawn(tmp_path: Path) -> Evaluation:
    """A found and a missed face in one real picture, with dots at the labels."""
    made = evaluation({"lfpw": [4, math.inf]})
    path = tmp_path / "face.png"
    assert cv2.imwrite(str(path), blobs(made.truth[0], 1.0))
    return replace(made, images=(path, path))


def test_a_tile_shows_the_face_with_its_points_on_it(drawn: Evaluation) -> None:
    tile = face_tile(drawn, 0)
    assert tile.title == "4.00 %"
    assert tile.truth is not None
    assert tile.predicted is not None
    lit = [tile.picture[round(y), round(x)] for x, y in tile.truth]
    assert min(lit) > 100 > np.median(tile.picture)
    ratio = np.linalg.norm(tile.predicted - tile.truth, axis=1) / math.dist(tile.truth[36], tile.truth[45])
    assert ratio == pytest.approx(np.full(68, 0.04))


def test_a_missed_face_has_no_prediction_drawn(drawn: Evaluation) -> None:
    tile = face_tile(drawn, 1)
    assert (tile.title, tile.predicted) == ("missed", None)


def test_a_missing_image_is_refused(drawn: Evaluation) -> None:
    gone = replace(drawn, images=(Path("gone.jpg"),) * 2)
    with pytest.raises(DataError, match=r"gone\.jpg: not an image"):
        face_tile(gone, 0)
    with pytest.raises(DataError, match=r"gone\.jpg: not an image"):
        photograph(Path("gone.jpg"), [])


def test_the_grid_draws_each_tile_with_truth_and_prediction() -> None:
    picture = np.zeros((50, 50), np.uint8)
    truth, predicted = np.array([[10.0, 20.0]]), np.array([[11.0, 22.0]])
    tiles = [Tile(picture, "$a$", truth, predicted), Tile(picture, "b", truth), Tile(picture, "c")]
    figure = tile_grid(tiles, columns=2)
    figure.canvas.draw()  # a title such as $a$ must not be read as a formula
    shown = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in shown] == ["$a$", "b", "c"]
    assert [len(axes.collections) for axes in shown] == [2, 1, 0]
    assert [o.tolist() for o in offsets(shown[0])] == [truth.tolist(), predicted.tolist()]
    colours = [np.asarray(dots.get_facecolor())[0, :3] for dots in shown[0].collections]
    for colour, expected in zip(colours, (TRUTH_COLOUR, PREDICTED_COLOUR), strict=True):
        assert colour == pytest.approx([int(expected[i : i + 2], 16) / 255 for i in (1, 3, 5)])


def test_loader_examples_are_drawn_in_the_pixels_of_the_crop() -> None:
    torch = pytest.importorskip("torch")
    crop = torch.zeros(1, 64, 64, dtype=torch.uint8)
    points = torch.tensor([[0.0, 0.0], [-0.5, 0.25]])
    face, background = example_tiles([(crop, points, torch.tensor(1.0)), (crop, points, torch.tensor(0.0))])
    # The centre of 64 pixels lies between pixels 31 and 32; the crop's left edge at -0.5.
    assert face.truth == pytest.approx(np.array([[31.5, 31.5], [-0.5, 47.5]]))
    assert (background.title, background.truth) == ("no face", None)


def test_examples_of_whole_pictures_have_their_origin_in_the_middle() -> None:
    torch = pytest.importorskip("torch")
    crop = torch.zeros(1, 60, 80, dtype=torch.uint8)
    points = torch.tensor([[0.0, 0.0], [-0.5, -0.375]])
    (tile,) = example_tiles([(crop, points, torch.tensor(1.0))])
    assert tile.truth == pytest.approx(np.array([[39.5, 29.5], [-0.5, -0.5]]))


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
