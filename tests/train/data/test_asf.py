import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from tests.strategies import floats
from tracker.scheme.imm58 import IMM58
from tracker.types import FloatArray
from train.data.asf import Shot, read_asf, read_imm_folder
from train.errors import DataError

POINTS = np.column_stack([np.linspace(0.2, 0.8, 58), np.linspace(0.9, 0.1, 58) ** 2])
FIRST = 18  # the line of the first point


def asf_text(relative: FloatArray = POINTS, image: str = "07-3m.jpg") -> str:
    """Return a file like the database's own, including blanks and tabs."""
    rows = "\n".join(f"0 \t4 \t{x:.8f} \t{y:.8f} \t{i} \t{i} \t{i}" for i, (x, y) in enumerate(relative))
    return (
        "######\n#\n#    AAM Shape File  -  written: Wednesday March 07 - 2001 [11:00]\n#\n######\n\n"
        "#\n# number of model points\n#\n58\n\n#\n# model points\n#\n# format: <path#> <type> ...\n#\n\n"
        f"{rows}\n\n#\n# host image\n#\n{image}\n\n"
    )


def write_shot(
    folder: Path, name: str = "07-3m", relative: FloatArray = POINTS, wh: tuple[int, int] = (64, 48)
) -> Path:
    assert cv2.imwrite(str(folder / f"{name}.jpg"), np.zeros((wh[1], wh[0], 3), np.uint8))
    path = folder / f"{name}.asf"
    path.write_text(asf_text(relative, f"{name}.jpg"))
    return path


def test_a_shot_is_read_in_pixels_with_person_and_number(tmp_path: Path) -> None:
    shot = read_asf(write_shot(tmp_path))
    assert (shot.image, shot.person, shot.shot) == (tmp_path / "07-3m.jpg", 7, 3)
    assert shot.points.dtype == np.float64
    assert np.abs(shot.points - POINTS * (64, 48)).max() <= 0.5e-8 * 64 + 1e-12  # eight digits are written


@given(relative=arrays(np.float64, (58, 2), elements=floats(0, 1)))
def test_pixels_are_the_relative_coordinates_times_width_and_height(
    relative: FloatArray, tmp_path_factory: pytest.TempPathFactory
) -> None:
    relative[:2] = [[0, 0], [1, 1]]  # spans an area; (0, 0) is the centre of the top-left pixel
    shot = read_asf(write_shot(tmp_path_factory.getbasetemp(), relative=relative, wh=(30, 20)))
    assert np.abs(shot.points / (30, 20) - relative).max() <= 0.5e-8 + 1e-15


def test_three_user_columns_are_ignored(tmp_path: Path) -> None:
    path = write_shot(tmp_path)
    lines = path.read_text().splitlines()
    rows = range(FIRST - 1, FIRST - 1 + 58, 2)
    for i in rows:
        lines[i] += "\t0.000\t1.5\t2"
    expected = read_asf(path).points
    path.write_text("\r\n".join(lines))
    assert np.array_equal(read_asf(path).points, expected)


@pytest.mark.parametrize(
    ("number", "line", "expected"),
    [
        (10, "57", r"07-3m\.asf:10: expected 58, the number of points, got '57'"),
        (10, "", r"07-3m\.asf:18: expected 58, the number of points"),
        (FIRST, "0 4 0.2 0.81 0 0", r"07-3m\.asf:18: expected the 7 columns of point 0"),
        (FIRST + 57, "0 4 0.2 0.81 57 0 0 0", r"07-3m\.asf:75: expected the 7 columns of point 57"),
        (FIRST + 5, "0 4 0.2 0.81 6 0 0", r"07-3m\.asf:23: expected the 7 columns of point 5"),
        (FIRST + 5, "", r"07-3m\.asf:24: expected the 7 columns of point 5"),
        (FIRST + 5, "0 4 x 0.81 5 0 0", r"07-3m\.asf:23: expected a finite number"),
        (FIRST + 5, "0 4 0.2 nan 5 0 0", r"07-3m\.asf:23: expected a finite number"),
        (FIRST + 5, "0 4 0.2 1e308 5 0 0", r"07-3m\.asf:23: expected a finite number"),
        (FIRST + 5, "0 4 320 240 5 0 0", r"07-3m\.asf:23: point 5 at \(20480, 11520\) lies far outside"),
        (80, "", r"07-3m\.asf:75: expected 58 points and an image name, got 58 lines"),
        (80, "07-3m.jpg\n0", r"07-3m\.asf:81: expected 58 points and an image name, got 60 lines"),
        (80, "08-3m.jpg", r"07-3m\.asf:80: the image .*08-3m\.jpg' is missing"),
    ],
)
def test_a_broken_file_is_refused_with_file_and_line(
    tmp_path: Path, number: int, line: str, expected: str
) -> None:
    path = write_shot(tmp_path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[: number - 1], line, *lines[number:]]))
    with pytest.raises(DataError, match=expected):
        read_asf(path)


@pytest.mark.parametrize("name", ["7-3m", "07-7m", "07-0m", "00-1m", "07-3x", "07-3", "face"])
def test_a_name_without_person_and_shot_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=rf"{name}\.asf: expected a name such as 07-3m\.asf"):
        read_asf(write_shot(tmp_path, name))


@pytest.mark.parametrize("content", [None, b"", b"# nothing\n", b"58\n\xff"])
def test_a_missing_or_empty_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "07-3m.asf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"07-3m\.asf"):
        read_asf(path)


def test_a_broken_image_is_refused(tmp_path: Path) -> None:
    path = write_shot(tmp_path)
    path.with_suffix(".jpg").write_bytes(b"GIF89a")
    with pytest.raises(DataError, match=r"07-3m\.jpg: the image cannot be read"):
        read_asf(path)


def test_a_folder_is_read_by_person_and_shot(tmp_path: Path) -> None:
    names = ["10-1f", "02-6m", "02-1m", "09-3f"]
    for name in names:
        write_shot(tmp_path, name)
    (tmp_path / "._02-1m.asf").write_bytes(b"\0")
    (tmp_path / "02-6m.asf").rename(tmp_path / "02-6m.ASF")
    shots = read_imm_folder(tmp_path)
    assert [(shot.person, shot.shot) for shot in shots] == [(2, 1), (2, 6), (9, 3), (10, 1)]


def test_two_labels_of_one_image_are_refused(tmp_path: Path) -> None:
    write_shot(tmp_path, "07-3m")
    path = write_shot(tmp_path, "07-4m")
    path.write_text(asf_text(image="07-3m.jpg"))
    with pytest.raises(DataError, match=r"07-4m\.asf: the same face as at .*07-3m\.asf"):
        read_imm_folder(tmp_path)


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none: no \.asf files"):
        read_imm_folder(tmp_path / "none")


@pytest.mark.parametrize(
    ("points", "person", "shot"),
    [
        (np.zeros((68, 2)), 1, 1),
        (np.full((58, 2), np.nan), 1, 1),
        (POINTS, 0, 1),
        (POINTS, 1, 0),
        (POINTS, 1, 7),
    ],
)
def test_an_impossible_shot_is_refused(tmp_path: Path, points: FloatArray, person: int, shot: int) -> None:
    with pytest.raises(DataError, match=r"a\.jpg"):
        Shot(tmp_path / "a.jpg", points, person, shot)


def test_the_real_database_matches_another_reader(data_dir: Path) -> None:
    folder = data_dir / "imm_face_db"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    shots = read_imm_folder(folder)
    assert [(shot.person, shot.shot) for shot in shots] == [(p, s) for p in range(1, 41) for s in range(1, 7)]
    number = re.compile(r"^\d+\s+\d+\s+(0\.\d{8})\s+(0\.\d{8})\s+\d", re.MULTILINE)
    for shot in shots:
        relative = np.array(number.findall(shot.image.with_suffix(".asf").read_text()), float)
        image = cv2.imread(str(shot.image))
        assert image is not None
        height, width = image.shape[:2]
        assert np.abs(shot.points - relative * (width, height)).max() < 1e-9


def test_edges_are_those_that_the_files_connect(data_dir: Path) -> None:
    """Columns 6 and 7 of a point name its neighbours; an open contour's end names itself."""
    folder = data_dir / "imm_face_db"
    if not folder.is_dir():
        pytest.skip(f"no imm_face_db in {data_dir}")
    rows = [line.split() for line in sorted(folder.glob("*.asf"))[0].read_text().splitlines()]
    points = [row for row in rows if len(row) == 7 and row[0].isdigit()]
    joined = {frozenset((int(row[4]), int(other))) for row in points for other in row[5:]}
    assert {frozenset(edge) for edge in IMM58.edges} == {edge for edge in joined if len(edge) == 2}
    assert len(IMM58.edges) == len({frozenset(edge) for edge in IMM58.edges})
