from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.train.data.test_head import seen
from tracker.types import FloatArray
from train.data.faces import COVERED, GUESSED, VISIBLE
from train.data.half_faces import HALF_HANDS, HALF_LEFT, HALF_RIGHT, read_hands, read_profiles
from train.data.tables import point_columns
from train.errors import DataError


def write(folder: Path, name: str, columns: list[str], rows: list[list[object]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines: list[list[str]] = [columns, *([str(cell) for cell in row] for row in rows)]
    (folder / name).write_text("\n".join(",".join(line) for line in lines) + "\n")
    for row in rows:
        assert cv2.imwrite(str(folder / str(row[0])), np.full((300, 300, 3), 90, np.uint8))


def flat(points: FloatArray) -> list[object]:
    return [*points.ravel().tolist()]


def write_profiles(folder: Path) -> tuple[FloatArray, FloatArray]:
    right, left = seen(70), seen(-70)
    rows: list[list[object]] = [
        ["cfp_001_02.jpg", "right", *flat(right[HALF_RIGHT])],
        ["cfp_033_04.jpg", "left", *flat(left[HALF_LEFT])],
    ]
    write(folder, "points30.csv", ["file", "faces_image", *point_columns(30)], rows)
    return right, left


def test_profiles_have_the_labelled_points_at_their_numbers_and_the_others_guessed(tmp_path: Path) -> None:
    right, left = write_profiles(tmp_path)
    one, other = read_profiles(tmp_path)
    assert (one.subset, one.person, other.person) == ("profiles", "001", "033")
    for face, points, numbers in ((one, right, HALF_RIGHT), (other, left, HALF_LEFT)):
        assert face.visibility is not None
        assert face.points[numbers] == pytest.approx(points[numbers])
        assert set(np.flatnonzero(face.visibility == VISIBLE)) == set(numbers.tolist())
        assert (face.visibility == GUESSED).sum() == 38
        assert np.abs(face.points - points).max() < 1.5


def test_points_of_occluded_profiles_count_as_covered(tmp_path: Path) -> None:
    write_profiles(tmp_path)
    (tmp_path / "occluded.txt").write_text("cfp_033_04.jpg\n")
    one, other = read_profiles(tmp_path)
    assert one.visibility is not None
    assert other.visibility is not None
    assert VISIBLE in one.visibility
    assert set(other.visibility.tolist()) == {GUESSED, COVERED}


def test_mirrored_numbers_are_those_of_the_other_half() -> None:
    left = [
        *range(16, 7, -1),
        26,
        24,
        22,
        45,
        44,
        43,
        42,
        46,
        47,
        27,
        28,
        29,
        30,
        33,
        34,
        35,
        54,
        51,
        62,
        57,
        66,
    ]
    assert HALF_LEFT.tolist() == left


def test_faces_behind_hands_exchange_the_lower_points_of_the_eye(tmp_path: Path) -> None:
    points = seen(20)
    rows: list[list[object]] = [["hand_cfp_016_02.jpg", *flat(points[HALF_HANDS])]]
    write(tmp_path, "points30_half.csv", ["file", *point_columns(30)], rows)
    (face,) = read_hands(tmp_path)
    assert HALF_HANDS[[15, 16, 17, 18]].tolist() == [39, 40, 41, 27]
    assert (face.subset, face.person) == ("hands", "016")
    assert face.points[[40, 41]] == pytest.approx(points[[40, 41]])


def test_faces_that_look_elsewhere_and_doubles_are_refused(tmp_path: Path) -> None:
    write_profiles(tmp_path)
    path = tmp_path / "points30.csv"
    text = path.read_text()
    path.write_text(text.replace("right", "ahead"))
    with pytest.raises(DataError, match=r":2: expected left or right, got 'ahead'"):
        read_profiles(tmp_path)
    path.write_text(text + text.split("\n")[1] + "\n")
    with pytest.raises(DataError, match=r":4: the same face as at .*:2"):
        read_profiles(tmp_path)
