"""Benchmark of hard conditions: counting, choice of faces, and runs with a fake detector and landmarker."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks import conditions
from benchmarks.command import run_command
from benchmarks.conditions import (
    CONDITIONS,
    TURNED,
    error_percent,
    generator,
    measure,
    read_faces,
    summarise,
)
from tests.cli import assert_one_line_error, run_main
from tests.shapes import canonical_points, face_box, face_points
from tests.tiny import draw_face, write_300w, write_face
from tracker.inference.detection.detector import FakeDetector
from tracker.inference.landmarker import FakeLandmarker
from tracker.tracking.face_tracker import FaceTracker
from tracker.types import FaceBox

CENTRE, SIZE = (160.0, 120.0), 120.0


def tracker(*boxes: FaceBox) -> FaceTracker:
    """A tracker that reports the canonical, upright face in each of ``boxes``."""
    return FaceTracker(FakeDetector(*boxes), FakeLandmarker(canonical_points()))


def test_points_that_do_not_fit_are_wrong_and_in_turned_pictures_not_found() -> None:
    errors = np.array([2.0, 4.0, 30.0, math.nan])
    upright, upside_down = summarise("mask", errors), summarise("turned 180 degrees", errors)
    assert (upright.faces, upright.found, upright.wrong) == (4, 75, 25)
    assert (upright.median, upright.mean) == (4, 12)
    assert (upside_down.found, upside_down.wrong) == (50, 25)
    assert (upside_down.median, upside_down.mean) == (3, 3)


def test_without_a_face_found_there_is_no_error() -> None:
    row = summarise("turned 90 degrees", np.array([math.nan, 80.0]))
    assert (row.found, row.wrong) == (0, 50)
    assert math.isnan(row.median)
    assert math.isnan(row.mean)


def test_only_turned_pictures_ask_for_points_that_fit() -> None:
    assert set(TURNED) == {name for name in CONDITIONS if name.startswith("turned")}
    assert len(TURNED) == 4


def test_random_numbers_depend_on_condition_and_picture_only() -> None:
    draws = {
        (condition, name): generator(condition, name).random()
        for condition in ("mask", "dark")
        for name in ("a.jpg", "b.jpg")
    }
    assert len(set(draws.values())) == 4
    assert generator("mask", "a.jpg").random() == draws["mask", "a.jpg"]


def test_the_reported_face_over_the_label_counts() -> None:
    points = face_points(CENTRE, SIZE)
    image = draw_face(points)
    both = tracker(face_box((60, 60), 50), face_box(CENTRE, SIZE))
    assert error_percent(both, image, points) == pytest.approx(0, abs=0.1)
    assert math.isnan(error_percent(tracker(face_box((60, 60), 50)), image, points))
    assert math.isnan(error_percent(tracker(), image, points))


def test_upright_points_on_a_turned_face_are_wrong(tmp_path: Path) -> None:
    """The fake finds the middle of the picture, where a turned face lies with other points."""
    face = write_face(tmp_path / "set", "face", face_points(CENTRE, SIZE))
    calls: list[None] = []
    errors = measure(tracker(face_box(CENTRE, SIZE)), [face] * 2, lambda: calls.append(None))
    assert list(errors) == list(CONDITIONS)
    assert len(calls) == 2 * len(CONDITIONS)
    rows = {name: summarise(name, values) for name, values in errors.items()}
    assert (rows["plain"].found, rows["plain"].wrong) == (100, 0)
    assert rows["plain"].mean == pytest.approx(0, abs=0.1)
    assert (rows["turned 180 degrees"].found, rows["turned 180 degrees"].wrong) == (0, 100)


def test_a_limit_spreads_over_the_faces(tmp_path: Path) -> None:
    data = write_300w(tmp_path, train=1, test=6)
    every = [face.image for face in read_faces(data, "300w", None)]
    assert len(every) == 12
    assert [face.image for face in read_faces(data, "300w", 4)] == every[::3]
    assert len(read_faces(data, "300w", 99)) == 12
    folder = data / "300w" / "lfpw" / "testset"
    assert [face.image for face in read_faces(None, str(folder), None)] == every[:6]


def test_a_run_prints_and_writes_each_condition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_face(tmp_path / "set", "face", face_points(CENTRE, SIZE))
    asked = []

    class Opened:
        label = "fake"

        def __init__(self, *names: str, threads: int) -> None:
            asked.append((*names, threads))

        def __enter__(self) -> Opened:
            return self

        def __exit__(self, *_: object) -> None: ...

        find = tracker(face_box(CENTRE, SIZE)).find

    monkeypatch.setattr(conditions, "open_tracker", Opened)
    conditions.main(chosen=str(tmp_path / "set"), limit=None, report=tmp_path / "out.json")
    assert asked == [("resnet18", "cpu", 1)]
    written = json.loads((tmp_path / "out.json").read_text())
    assert [row["condition"] for row in written["rows"]] == list(CONDITIONS)
    assert (written["model"], written["rows"][0]["found"]) == ("fake", 100)
    assert written["rows"][1]["faces"] == 1
    said = capsys.readouterr().out
    assert all(name in said for name in CONDITIONS)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--set", "/no/folder"], "/no/folder: no .pts files there"),
        (["--data", "/no/data"], "/no/data: neither it nor its 300w/"),
        (["--data", "/no/data", "--json", "/no/folder/f.json"], "/no/folder"),
    ],
)
def test_an_error_is_one_line_and_exit_code_1(options: list[str], said: str) -> None:
    done = run_main(lambda: run_command(conditions.main), *options, package="benchmarks")
    assert_one_line_error(done, said, program="benchmark")


def test_the_300w_faces_need_a_data_folder() -> None:
    done = run_main(lambda: run_command(conditions.main), package="benchmarks")
    assert done.exit_code == 2
    assert "needs --data DIR" in done.stderr
