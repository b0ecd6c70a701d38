from pathlib import Path

import numpy as np
import pytest

from tests.tiny import face_points, write_face
from tracker.scheme.ibug68 import MIRROR, OUTER_EYE_CORNERS, PARTS
from tracker.types import FloatArray
from train.data.pts import read_pts_folder
from train.data.wflw import WFLW_TO_68, read_wflw_list
from train.errors import DataError

WFLW_PARTS = {
    "jaw": range(0, 33),
    "left_brow": range(33, 42),
    "right_brow": range(42, 51),
    "nose_bridge": range(51, 55),
    "nose_base": range(55, 60),
    "left_eye": range(60, 68),
    "right_eye": range(68, 76),
    "outer_lip": range(76, 88),
    "inner_lip": range(88, 96),
}

WFLW_MIRROR = np.array(
    [
        *range(32, -1, -1),
        *(46, 45, 44, 43, 42, 50, 49, 48, 47),  # left brow: its upper edge, then its lower one
        *(37, 36, 35, 34, 33, 41, 40, 39, 38),
        *(51, 52, 53, 54, 59, 58, 57, 56, 55),
        *(72, 71, 70, 69, 68, 75, 74, 73),
        *(64, 63, 62, 61, 60, 67, 66, 65),
        *(82, 81, 80, 79, 78, 77, 76, 87, 86, 85, 84, 83),
        *(92, 91, 90, 89, 88, 95, 94, 93),
        *(97, 96),
    ]
)
"""Permutation of the points under mirroring, from the figure of the 98 points on WFLW's page."""


def test_the_mirror_order_of_wflw_is_an_involution() -> None:
    assert np.array_equal(WFLW_MIRROR[WFLW_MIRROR], np.arange(98))


def test_each_point_is_taken_at_most_once() -> None:
    assert WFLW_TO_68.shape == (68,)
    assert len(set(WFLW_TO_68.tolist())) == 68
    with pytest.raises(ValueError, match="read-only"):
        WFLW_TO_68[0] = 1


def test_mirroring_commutes_with_the_map() -> None:
    assert np.array_equal(WFLW_MIRROR[WFLW_TO_68], WFLW_TO_68[MIRROR])


@pytest.mark.parametrize("part", PARTS)
def test_each_part_comes_from_the_same_part_in_the_same_order(part: str) -> None:
    taken = WFLW_TO_68[list(PARTS[part])]
    assert set(taken.tolist()) <= set(WFLW_PARTS[part])
    assert (np.diff(taken) > 0).all()


def test_the_outer_eye_corners_are_those_of_wflws_own_measure() -> None:
    assert WFLW_TO_68[list(OUTER_EYE_CORNERS)].tolist() == [60, 72]


def test_the_real_68_point_data_uses_the_same_lid_points(data_dir: Path) -> None:
    """WFLW's points divide a lid into quarters; 62 or 66 would be in its middle."""
    folder = data_dir / "wflw68" / "trainset"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    points = np.array([face.points for face in read_pts_folder(folder, "wflw68")])
    for eye in (36, 42):
        corner, across = points[:, [eye]], points[:, [eye + 3]] - points[:, [eye]]
        lids = points[:, [eye + 1, eye + 2, eye + 4, eye + 5]] - corner
        along = (lids * across).sum(-1) / (across**2).sum(-1)
        assert np.abs(np.median(along, axis=0) - [0.25, 0.75, 0.75, 0.25]).max() < 1 / 8


def line(name: str, points_68: FloatArray, attributes: str = "0 1 0 0 1 0", filler: object = -1.5) -> str:
    points = np.full((98, 2), filler, object)
    points[WFLW_TO_68] = points_68
    return f"{' '.join(map(str, points.ravel()))} 10 20 300 230 {attributes} {name}"


@pytest.fixture
def wflw(tmp_path: Path) -> tuple[Path, Path]:
    images = tmp_path / "WFLW_images"
    write_face(images / "0--Parade", "0_Parade_a_1", face_points())
    write_face(images / "1--Hands", "1_Hands_b_2", face_points())
    path = tmp_path / "list.txt"
    lines = [
        line("0--Parade/0_Parade_a_1.jpg", face_points()),
        line("1--Hands/1_Hands_b_2.jpg", face_points((100, 100))),
        line("1--Hands/1_Hands_b_2.jpg", face_points((200, 100))),
    ]
    path.write_text("\n".join(lines) + "\n")
    return path, images


def test_several_faces_of_an_image_are_read_as_68_points(wflw: tuple[Path, Path]) -> None:
    path, images = wflw
    faces = read_wflw_list(path, images)
    expected = [face_points(), face_points((100, 100)), face_points((200, 100))]
    for face, points in zip(faces, expected, strict=True):
        assert np.array_equal(face.points, points)
    names = ["0--Parade/0_Parade_a_1.jpg", "1--Hands/1_Hands_b_2.jpg", "1--Hands/1_Hands_b_2.jpg"]
    assert [face.image for face in faces] == [images / name for name in names]
    assert {(face.subset, face.person) for face in faces} == {("wflw", "")}


PARADE = "0--Parade/0_Parade_a_1.jpg"


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (line(PARADE, face_points()).partition(" ")[2], r"list\.txt:2: expected 207 columns .*, got 206"),
        (line(PARADE, face_points()) + " x", r"list\.txt:2: expected 207 columns .*, got 208"),
        ("\n\n1 2", r"list\.txt:4: expected 207 columns .*, got 2"),
        (line(PARADE, face_points((99, 99)), "0 1 2 0 0 0"), r"list\.txt:2: expected 6 attributes"),
        (line(PARADE, face_points((99, 99)), filler="x"), r"list\.txt:2: expected a finite number"),
        (line(PARADE, face_points((99, 99)), filler=np.nan), r"list\.txt:2: expected a finite number"),
        (line(PARADE, face_points() + 9000), r"list\.txt:2: point 0 at .* far outside"),
        (line(PARADE, face_points() * (1, 0)), r"list\.txt:2: .*no area"),
        (line(PARADE, face_points()), r"list\.txt:2: the same face as at .*list\.txt:1"),
        (line("0--Parade/b.jpg", face_points()), r"list\.txt:2: the image .*b\.jpg' is missing"),
    ],
)
def test_a_broken_list_is_refused_with_file_and_line(
    wflw: tuple[Path, Path], new: str, expected: str
) -> None:
    path, images = wflw
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], new, lines[2]]))
    with pytest.raises(DataError, match=expected):
        read_wflw_list(path, images)


@pytest.mark.parametrize(("content", "expected"), [(None, "cannot be read"), (b"\n \n", "no faces in it")])
def test_a_missing_or_empty_list_is_refused(tmp_path: Path, content: bytes | None, expected: str) -> None:
    path = tmp_path / "list.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=rf"list\.txt: {expected}"):
        read_wflw_list(path, tmp_path)
