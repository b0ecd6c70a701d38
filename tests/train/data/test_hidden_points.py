"""Marks of hidden points: one rule for all readers, and places beyond the edge that are none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.media import picture
from tests.shapes import face_points
from tests.train.data.test_dlib_xml import write_xml
from tests.train.data.test_wflw import line
from tests.train.data.test_youtube import write_csv
from tracker.types import FloatArray
from train.data.faces import hidden
from train.data.readers import read_dlib_xml, read_pts, read_wflw_list, read_youtube_csv, write_pts
from train.errors import DataError

FACE = face_points((80, 60), 60)


@pytest.mark.parametrize("mark", [(-1.0, -1.0), (-95.0, -40.0), (-60.0, -60.0)])
def test_marks_are_hidden(mark: tuple[float, float]) -> None:
    points = FACE.copy()
    points[[17, 40]] = mark
    np.testing.assert_array_equal(np.flatnonzero(hidden(points)), [17, 40])


@pytest.mark.parametrize("middle", [(80, 60), (5, 60), (80, 5), (5, 5), (0, 0)])
def test_places_of_a_face_that_is_cut_off_are_not_hidden(middle: tuple[float, float]) -> None:
    points = face_points(middle, 60)
    assert not hidden(points).any()


def test_a_face_of_marks_only_is_hidden() -> None:
    assert hidden(np.full((68, 2), -1.0)).all()


def _pts(folder: Path, points: FloatArray) -> Callable[[], object]:
    write_pts(folder / "a.pts", points - 1.0)  # the file holds the numbers of ``points``
    return lambda: read_pts(folder / "a.pts")


def _xml(folder: Path, points: FloatArray) -> Callable[[], object]:
    path = write_xml(folder, [("a.png", points)])
    return lambda: read_dlib_xml(path, "x")


def _wflw(folder: Path, points: FloatArray) -> Callable[[], object]:
    (folder / "w.txt").write_text(line("a.png", points) + "\n")
    return lambda: read_wflw_list(folder / "w.txt", folder)


def _youtube(folder: Path, points: FloatArray) -> Callable[[], object]:
    path, images = write_csv(folder)
    cells = [cell for point in points.tolist() for cell in point]
    header, first, *_ = path.read_text().splitlines()
    name = first.split(",")[0]
    path.write_text(f"{header}\n{name},{','.join(map(str, cells))}\n")
    return lambda: read_youtube_csv(path, images)


@pytest.mark.parametrize("reader", [_pts, _xml, _wflw, _youtube])
@pytest.mark.parametrize("mark", [(-1.0, -1.0), (-90.0, -50.0)])
def test_every_reader_refuses_a_mark_with_its_place(
    tmp_path: Path, reader: Callable[[Path, FloatArray], Callable[[], object]], mark: tuple[float, float]
) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), picture(1, 160, 120))
    reader(tmp_path, FACE)()
    points = FACE.copy()
    points[30] = mark
    with pytest.raises(DataError, match=r":\d+: point \d+ at .* is marked as hidden, .*leave the face out"):
        reader(tmp_path, points)()
