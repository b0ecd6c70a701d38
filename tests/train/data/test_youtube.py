from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.tiny import face_points, write_face
from train.data.youtube import read_youtube_csv
from train.errors import DataError

HEADER = "," + ",".join(map(str, range(136)))


def row(name: str, points: Iterable[Iterable[object]]) -> str:
    return ",".join([name, *(str(value) for point in points for value in point)])


def write_csv(
    folder: Path, names: Sequence[str] = ("Some_One-Else_07.jpg", "Some_One-Else_08.jpg", "Al_31.jpg")
) -> tuple[Path, Path]:
    images = folder / "training"
    lines = [HEADER]
    for i, name in enumerate(names):
        face = write_face(images, name[:-4], face_points((150 + i, 120)))
        lines.append(row(name, face.points))
    path = folder / "labels.csv"
    path.write_text("\n".join(lines) + "\n")
    return path, images


def test_faces_are_read_with_person_and_zero_based_points(tmp_path: Path) -> None:
    path, images = write_csv(tmp_path)
    faces = read_youtube_csv(path, images)
    assert [face.image for face in faces] == [
        images / name for name in ("Some_One-Else_07.jpg", "Some_One-Else_08.jpg", "Al_31.jpg")
    ]
    assert [face.person for face in faces] == ["Some_One-Else", "Some_One-Else", "Al"]
    assert {face.subset for face in faces} == {"youtube"}
    for i, face in enumerate(faces):
        assert np.array_equal(face.points, face_points((150 + i, 120)))


@pytest.mark.parametrize(
    ("number", "line", "expected"),
    [
        (1, HEADER[1:], r"labels\.csv:1: expected the header"),
        (1, "", r"labels\.csv:2: expected the header"),
        (1, HEADER + ",136", r"labels\.csv:1: expected the header"),
        (3, "Al_31.jpg,1,2", r"labels\.csv:3: expected 136 numbers after the name, got 2"),
        (3, row("Al_31.jpg", face_points()) + ",1", r"labels\.csv:3: expected 136 numbers .*got 137"),
        (3, row("Al.jpg", face_points()), r"labels\.csv:3: expected an image name such as"),
        (3, row("_31.jpg", face_points()), r"labels\.csv:3: expected an image name such as"),
        (3, "\n" + row("Al_30.jpg", face_points()), r"labels\.csv:4: the image .*Al_30\.jpg' is missing"),
        (4, row("Some_One-Else_07.jpg", face_points()), r":4: the same face as at .*labels\.csv:2"),
        (4, row("Al_31.jpg", face_points() + 9000), r":4: point 0 at .* far outside"),
        (4, row("Al_31.jpg", face_points() * (0, 1)), r":4: .* no area"),
        (4, row("Al_31.jpg", [*face_points()[:-1], (1, np.inf)]), r":4: expected a finite number"),
        (4, row("Al_31.jpg", [*face_points()[:-1], (1, "")]), r":4: expected a finite number"),
    ],
)
def test_a_broken_file_is_refused_with_file_and_line(
    tmp_path: Path, number: int, line: str, expected: str
) -> None:
    path, images = write_csv(tmp_path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[: number - 1], line, *lines[number:]]))
    with pytest.raises(DataError, match=expected):
        read_youtube_csv(path, images)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, r"labels\.csv: cannot be read"),
        (b"", r"labels\.csv:1: expected the header"),
        (HEADER.encode() + b"\n\n", r"labels\.csv: no faces"),
    ],
)
def test_a_missing_or_empty_file_is_refused(tmp_path: Path, content: bytes | None, expected: str) -> None:
    path = tmp_path / "labels.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=expected):
        read_youtube_csv(path, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("part", "count"), [("training", 3462), ("test", 770)])
def test_the_real_files_match_another_reader(data_dir: Path, part: str, count: int) -> None:
    folder = data_dir / "youtube_faces"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    path = folder / f"{part}_frames_keypoints.csv"
    faces = read_youtube_csv(path, folder / part)
    table = np.loadtxt(path, delimiter=",", skiprows=1, usecols=range(1, 137))
    assert np.array_equal([face.points.ravel() for face in faces], table)
    assert len(faces) == count
    assert len({face.person for face in faces}) == 347
