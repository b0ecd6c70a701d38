import math
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.tiny import blobs
from tests.train.evaluation.examples import evaluation
from train.errors import DataError
from train.evaluation.extremes import face_item, ranked
from train.evaluation.results import Evaluation


@pytest.fixture
def drawn(tmp_path: Path) -> Evaluation:
    """A found and a missed face in one real picture, with dots at the labels."""
    made = evaluation({"lfpw": [4, math.inf]})
    path = tmp_path / "face.png"
    assert cv2.imwrite(str(path), blobs(made.truth[0], 1.0))
    return replace(made, images=(path, path))


def test_faces_are_ranked_by_error_and_misses_are_worst() -> None:
    made = evaluation({"lfpw": [3, 1, math.inf, 2, 9]})
    assert ranked(made, 2, worst=False) == [1, 3]
    assert ranked(made, 3, worst=True) == [2, 4, 0]
    assert len(ranked(made, 12, worst=True)) == 5


def test_an_item_shows_the_face_with_its_points_on_it(drawn: Evaluation) -> None:
    item = face_item({"": drawn}, 0)
    assert item.caption == "4.00 % · lfpw/face.png"
    (tile,) = item.tiles
    label, answer = tile.marks
    assert (label.style, answer.style) == ("label", "answer")
    lit = [tile.picture[round(y), round(x)] for x, y in label.points]
    assert min(lit) > 100 > np.median(tile.picture)
    ratio = np.linalg.norm(answer.points - label.points, axis=1) / math.dist(
        label.points[36], label.points[45]
    )
    assert ratio == pytest.approx(np.full(68, 0.04))


def test_two_answers_are_named_and_drawn_apart(drawn: Evaluation) -> None:
    nearer = replace(drawn, predicted=(drawn.predicted + drawn.truth) / 2)
    item = face_item({"funnel": drawn, "fan": nearer}, 0)
    assert item.caption == "funnel 4.00 %, fan 2.00 % · lfpw/face.png"
    assert [marks.style for marks in item.tiles[0].marks] == ["label", "answer", "other"]


def test_a_missed_face_has_no_prediction_drawn(drawn: Evaluation) -> None:
    item = face_item({"": drawn}, 1)
    assert item.caption.startswith("not found")
    assert [marks.style for marks in item.tiles[0].marks] == ["label"]
    assert "not found" in item.tiles[0].alt


def test_a_missing_image_is_refused(drawn: Evaluation) -> None:
    with pytest.raises(DataError, match=r"gone\.jpg: not an image"):
        face_item({"": replace(drawn, images=(Path("gone.jpg"),) * 2)}, 0)


def test_answers_that_are_far_off_are_in_view_up_to_a_limit(drawn: Evaluation) -> None:
    for shift, visible in ((1.5, True), (50.0, False)):
        far = replace(drawn, predicted=drawn.truth + shift * drawn.normaliser[:, None, None] * (1, 0))
        label, answer = face_item({"": far}, 0).tiles[0].marks
        assert bool((np.abs(answer.points - 128) <= 128).all()) is visible
        assert np.ptp(label.points, axis=0).max() > 256 / 1.6 / 2.6  # the face stays large enough to see
