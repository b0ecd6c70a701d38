from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis.extra.numpy import arrays

from tests.strategies import floats
from tests.tiny import HW, draw_face, face_points, write_300w, write_face
from tracker.types import FloatArray
from train.data.faces import hidden
from train.data.pts import FOLDERS_300W, read_300w, read_pts, read_pts_folder, write_pts
from train.errors import DataError


def test_pts_files_are_one_based(tmp_path: Path) -> None:
    path = tmp_path / "a.pts"
    rows = "\n".join(f"{i + 1} {2 * i + 1}" for i in range(68))
    path.write_text(f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n")
    assert np.array_equal(read_pts(path), [[i, 2 * i] for i in range(68)])


@given(points=arrays(np.float64, (68, 2), elements=floats(-9999, 9999)))
def test_pts_round_trip_to_the_six_digits_written(
    points: FloatArray, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "round.pts"
    write_pts(path, points)
    assume(not hidden(points + 1).any())
    assert np.abs(read_pts(path) - points).max() <= 0.5e-6 + 1e-11


@pytest.mark.parametrize("end", [b"\r\n", b"\r", b"\r\n\r\n", b" \t\n"])
def test_other_line_ends_blank_lines_and_a_byte_order_mark_are_read(tmp_path: Path, end: bytes) -> None:
    path = tmp_path / "a.pts"
    write_pts(path, face_points())
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", end))
    assert np.abs(read_pts(path) - face_points()).max() < 1e-6


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda lines: [*lines[:3], "1 2 3", *lines[4:]], r"a\.pts:4: expected two numbers"),
        (lambda lines: [*lines[:3], "", "1", *lines[4:]], r"a\.pts:5: expected two numbers"),
        (lambda lines: [*lines[:3], "1 \f 2", "1", *lines[5:]], r"a\.pts:5: expected two numbers"),
        (lambda lines: [*lines[:70], "1 x", *lines[71:]], r"a\.pts:71: expected a finite number"),
        (lambda lines: [*lines[:70], "1 1_0", *lines[71:]], r"a\.pts:71: expected a finite number"),
        (lambda lines: [*lines[:9], "nan 1", *lines[10:]], r"a\.pts:10: expected a finite"),
        (lambda lines: [*lines[:9], "1 inf", *lines[10:]], r"a\.pts:10: expected a finite"),
        (lambda lines: [*lines[:9], "1 1e7", *lines[10:]], r"a\.pts:10: expected a finite"),
        (lambda lines: lines[:9] + lines[10:], r"a\.pts:3: expected 68 points, got 67"),
        (lambda lines: lines[:9] + lines[8:], r"a\.pts:3: expected 68 points, got 69"),
        (lambda lines: ["version: 1", "n_points: 29", *lines[2:]], r"a\.pts:2: expected n_points: 68"),
        (lambda lines: [*lines, "", "1 2"], r"a\.pts:72: expected } only once, after the points"),
        (lambda lines: [*lines, *lines], r"a\.pts:72: expected } only once"),
        (lambda lines: ["}", *lines[2:-1]], r"a\.pts:1: expected } only once"),
        (lambda lines: lines[:2] + lines[3:], r"a\.pts: no point list"),
        (lambda lines: lines[:-1], r"a\.pts: no point list"),
        (lambda lines: [*lines[:3], "}"], r"a\.pts:3: expected 68 points, got 0"),
        (lambda lines: [], r"a\.pts: no point list"),  # noqa: ARG005
    ],
)
def test_a_broken_pts_file_is_refused_with_file_and_line(
    tmp_path: Path, change: Callable[[list[str]], list[str]], expected: str
) -> None:
    path = tmp_path / "a.pts"
    write_pts(path, face_points())
    path.write_text("\n".join(change(path.read_text().splitlines())))
    with pytest.raises(DataError, match=expected):
        read_pts(path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, r"a\.pts: cannot be read"),
        (b"\xff\xfe{\x00}", r"a\.pts:1: cannot be read: not UTF-8"),
        (b"version: 1\n{\n1 \xe9\n}", r"a\.pts:3: cannot be read: not UTF-8"),
        (b"version: 1\r\n{\r\n\r\n1 \0\r\n}", r"a\.pts:4: cannot be read: holds a NUL"),
    ],
)
def test_a_pts_file_that_cannot_be_read_is_refused(
    tmp_path: Path, content: bytes | None, expected: str
) -> None:
    path = tmp_path / "a.pts"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=expected):
        read_pts(path)


def test_a_folder_is_read_in_order_of_name(tmp_path: Path) -> None:
    for name in ("b", "c", "a"):
        write_face(tmp_path, name, face_points())
    (tmp_path / "._a.pts").write_bytes(b"\0\5\x16\7")  # as in archives from a Mac
    (tmp_path / "unlabelled.jpg").write_bytes(b"")
    faces = read_pts_folder(tmp_path, "afw")
    assert [face.image.name for face in faces] == ["a.jpg", "b.jpg", "c.jpg"]
    assert {(face.subset, face.person) for face in faces} == {("afw", "")}


@pytest.mark.parametrize("suffix", [".jpg", ".JPG", ".png", ".PNG", ".jpeg", ".Jpeg", ".bmp"])
@pytest.mark.parametrize("label", [".pts", ".PTS"])
def test_suffixes_may_be_in_upper_case_and_names_may_hold_dots_and_blanks(
    tmp_path: Path, suffix: str, label: str
) -> None:
    image = tmp_path / f"image 1.2{suffix}"
    assert cv2.imwrite(str(image), draw_face(face_points()))
    write_pts(tmp_path / f"image 1.2{label}", face_points())
    (face,) = read_pts_folder(tmp_path, "lfpw")
    assert face.image == image


@pytest.mark.parametrize("made", [True, False])
def test_a_folder_without_labels_is_refused(tmp_path: Path, made: bool) -> None:
    folder = tmp_path / "empty"
    if made:
        folder.mkdir()
    with pytest.raises(DataError, match=r"empty: no \.pts"):
        read_pts_folder(folder, "afw")


def test_a_label_without_image_is_refused(tmp_path: Path) -> None:
    write_face(tmp_path, "a", face_points()).image.unlink()
    with pytest.raises(DataError, match=r"a\.pts: no image"):
        read_pts_folder(tmp_path, "afw")


def test_a_label_with_two_images_is_refused(tmp_path: Path) -> None:
    write_face(tmp_path, "a", face_points())
    (tmp_path / "a.PNG").write_bytes(b"")
    with pytest.raises(DataError, match=r"a\.pts: more than one image beside it: a\.PNG and a\.jpg"):
        read_pts_folder(tmp_path, "afw")


def test_two_labels_of_an_image_are_refused_with_other_files_between(tmp_path: Path) -> None:
    write_face(tmp_path, "a", face_points())
    write_face(tmp_path, "a.b", face_points())
    write_pts(tmp_path / "a.PTS", face_points())
    with pytest.raises(DataError, match=r"a\.pts: the same face as at .*a\.PTS"):
        read_pts_folder(tmp_path, "afw")


def test_a_file_that_is_not_an_image_is_refused(tmp_path: Path) -> None:
    write_face(tmp_path, "a", face_points()).image.write_bytes(b"<html>not found</html>")
    with pytest.raises(DataError, match=r"a\.jpg: the image cannot be read: .*none of JPEG, PNG, BMP"):
        read_pts_folder(tmp_path, "afw")


MARGIN = max(HW) / 2


@pytest.mark.parametrize(
    ("x", "y", "inside"),
    [
        (-MARGIN, 0, True),
        (-MARGIN - 0.01, 0, False),
        (0, -MARGIN - 0.01, False),
        (HW[1] - 1 + MARGIN, HW[0] - 1 + MARGIN, True),
        (HW[1] - 0.99 + MARGIN, 0, False),
        (0, HW[0] - 0.99 + MARGIN, False),
    ],
)
def test_a_point_far_outside_its_image_is_refused_with_its_line(
    tmp_path: Path, x: float, y: float, inside: bool
) -> None:
    points = face_points()
    points[10] = x, y
    write_face(tmp_path, "a", points)
    if inside:
        (face,) = read_pts_folder(tmp_path, "afw")
        assert np.abs(face.points - points).max() < 1e-6
    else:
        with pytest.raises(DataError, match=r"a\.pts:14: point 10 at .* far outside .*a\.jpg of 320x240"):
            read_pts_folder(tmp_path, "afw")


def test_collinear_points_are_refused_with_the_line_of_the_first(tmp_path: Path) -> None:
    write_face(tmp_path, "a", face_points())
    write_pts(tmp_path / "a.pts", face_points() * (1, 0))
    with pytest.raises(DataError, match=r"a\.pts:4: .*no area"):
        read_pts_folder(tmp_path, "afw")


def write_official_tree(root: Path) -> None:
    for number, folder in enumerate(FOLDERS_300W):
        for i in range(number + 1):
            image = root / folder / f"image_{i:03d}.png"
            image.parent.mkdir(parents=True, exist_ok=True)
            assert cv2.imwrite(str(image), draw_face(face_points()))
            write_pts(image.with_suffix(".pts"), face_points())


def test_the_official_tree_is_read_by_folder(tmp_path: Path) -> None:
    write_official_tree(tmp_path)
    faces = read_300w(tmp_path)
    assert list(faces) == [
        *("afw", "helen/trainset", "helen/testset", "lfpw/trainset", "lfpw/testset", "ibug"),
        *("300W/01_Indoor", "300W/02_Outdoor"),
    ]
    assert [len(part) for part in faces.values()] == [1, 2, 3, 4, 5, 6, 7, 8]
    for folder, part in faces.items():
        assert {face.image.parent for face in part} == {tmp_path / folder}
        assert {face.subset for face in part} == {FOLDERS_300W[folder]}


def test_an_incomplete_official_tree_is_read(tmp_path: Path) -> None:
    write_300w(tmp_path, train=2, test=1)
    assert set(read_300w(tmp_path / "300w")) == set(FOLDERS_300W) - {
        *("ibug", "300W/01_Indoor", "300W/02_Outdoor")
    }


def test_a_tree_without_any_official_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none of the 300-W folders afw, helen/trainset"):
        read_300w(tmp_path)


@pytest.mark.slow
def test_the_real_tree_is_read(data_dir: Path) -> None:
    if not (data_dir / "300w").is_dir():
        pytest.skip(f"no 300w in {data_dir}")
    faces = read_300w(data_dir / "300w")
    assert (len(faces["lfpw/testset"]), len(faces["helen/testset"])) == (224, 330)
