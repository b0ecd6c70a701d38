"""OpenFace table, read with the csv module and with NumPy as scripts for OpenFace do."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given

from tests.results import frames_of_one_face, read_json_lines, write_json_lines
from tests.shapes import face_points, measured
from tests.strategies import floats
from tracker.geometry import Stretch
from tracker.sinks.openface import OpenFaceSink, openface_angles
from tracker.tracking.measures.head_pose import FACE_MM, POSE_POINTS, head_place, head_pose
from tracker.types import FaceMeasures, FloatArray, FrameResult, Landmarks, TrackedFace

OPENFACE_2_START = (
    "frame,face_id,timestamp,confidence,success,pose_Tx,pose_Ty,pose_Tz,pose_Rx,pose_Ry,pose_Rz,x_0,x_1,"
)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def projected_face(yaw: float, pitch: float, roll: float, at_mm: tuple[float, float, float]) -> FloatArray:
    """Return the mean face's points in a 640x480 picture, rotated by OpenFace's angles, at ``at_mm``."""
    turn = [cv2.Rodrigues(angle * axis)[0] for angle, axis in zip((pitch, yaw, roll), np.eye(3), strict=True)]
    rotation = turn[0] @ turn[1] @ turn[2]
    placed = (FACE_MM - FACE_MM.mean(axis=0)) @ rotation.T + np.array(at_mm)
    points = face_points((320, 240), 100)
    points[POSE_POINTS] = 640 * placed[:, :2] / placed[:, 2:] + (319.5, 239.5)
    return points


def test_columns_are_those_of_openface(tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    with OpenFaceSink(path) as sink:
        for frame in frames_of_one_face():
            sink.write(frame)
    header, *lines = path.read_text().splitlines()
    assert header.startswith(OPENFACE_2_START)
    assert header.endswith("x_66,x_67," + ",".join(f"y_{i}" for i in range(68)))
    assert len(header.split(",")) == 11 + 136
    assert lines[0] == "1,0,0.0," + ",".join(["0"] * 144)  # no face: success is 0
    table = np.genfromtxt(path, delimiter=",", names=True)
    np.testing.assert_array_equal(table["frame"], [1, 2, 3])
    np.testing.assert_array_equal(table["face_id"], [0, 0, 0])
    np.testing.assert_array_equal(table["success"], [0, 1, 1])
    np.testing.assert_allclose(table["timestamp"], [0, 0.04, 0.08])


def test_points_and_scores_are_those_of_the_json_lines(tmp_path: Path) -> None:
    with OpenFaceSink(tmp_path / "o.csv") as table:
        for frame in frames_of_one_face():
            table.write(frame)
    records = read_json_lines(write_json_lines(tmp_path / "o.jsonl", frames_of_one_face()))
    for row, record in zip(rows(tmp_path / "o.csv")[1:], records[1:], strict=True):
        face = record["faces"][0]
        points = [[float(row[f"{axis}_{i}"]) for axis in "xy"] for i in range(68)]
        assert points == face["landmarks"]
        assert (float(row["confidence"]), float(row["timestamp"])) == (face["score"], record["time_s"])


def test_there_is_a_row_per_face(tmp_path: Path) -> None:
    faces = tuple(TrackedFace(i, Landmarks(face_points((100 * i, 80), 60))) for i in (1, 3))
    with OpenFaceSink(tmp_path / "o.csv") as sink:
        sink.write(FrameResult(faces, 7, 0.28, "a.mp4", (480, 640)))
    assert [(row["frame"], row["face_id"]) for row in rows(tmp_path / "o.csv")] == [("8", "0"), ("8", "2")]


@given(yaw=floats(-0.7, 0.7), pitch=floats(-0.5, 0.5), roll=floats(-1.2, 1.2))
def test_angles_and_position_of_a_projected_face_are_recovered(yaw: float, pitch: float, roll: float) -> None:
    place = head_place(projected_face(yaw, pitch, roll, (60, -40, 700)), (480, 640))
    assert place is not None
    np.testing.assert_allclose(openface_angles(place.rotation), (pitch, yaw, roll), atol=1e-3)
    np.testing.assert_allclose(place.middle_mm, (60, -40, 700), rtol=1e-3, atol=0.1)


def test_the_distance_of_a_far_face_is_recovered() -> None:
    place = head_place(projected_face(0.1, 0.1, 0.1, (0, 0, 9000)), (480, 640))
    assert place is not None
    assert place.middle_mm[2] == pytest.approx(9000, rel=0.01)


@pytest.mark.parametrize(
    ("turn", "angle", "sign"),
    [
        ((0.0, -0.4, 0.0), "pitch_deg", 1),  # OpenFace's -Rx is up
        ((0.4, 0.0, 0.0), "yaw_deg", -1),  # OpenFace's +Ry is towards the left of the image
        ((0.0, 0.0, 0.4), "roll_deg", 1),
    ],
)
def test_signs_of_the_measures_differ(turn: tuple[float, float, float], angle: str, sign: int) -> None:
    pose = head_pose(projected_face(*turn, (0, 0, 600)), (480, 640))
    assert math.copysign(1, getattr(pose, angle)) == sign


def test_pose_cells_are_empty_for_a_face_without_pose(tmp_path: Path) -> None:
    points = face_points((100, 80), 60)
    known = measured(points)
    blind = FaceMeasures(known.eye_open, known.mouth_open, None, None, None)
    with OpenFaceSink(tmp_path / "o.csv") as sink:
        sink.write(FrameResult((TrackedFace(1, Landmarks(points), blind),), 0, 0.0, "a", (480, 640)))
    (row,) = rows(tmp_path / "o.csv")
    assert row["success"] == "1"
    assert {row[name] for name in row if name.startswith("pose_")} == {""}


@pytest.mark.parametrize("aspect", [2.0, 0.5])
def test_a_pose_is_that_of_the_picture_as_it_is_shown(tmp_path: Path, aspect: float) -> None:
    points, stretch = projected_face(0.3, -0.2, 0.1, (20.0, -10.0, 600.0)), Stretch.of(aspect)
    measures = measured(points)
    seen = []
    for name, (stored, image_hw, ratio) in {
        "square": (points, (480, 640), 1.0),
        "squeezed": (stretch.to_stored(points), (round(480 / stretch.y), round(640 / stretch.x)), aspect),
    }.items():
        with OpenFaceSink(tmp_path / f"{name}.csv") as sink:
            face = TrackedFace(1, Landmarks(stored), measures)
            sink.write(FrameResult((face,), 0, 0.0, "a", image_hw, pixel_aspect=ratio))
        (row,) = rows(tmp_path / f"{name}.csv")
        seen.append([float(row[f"pose_{axis}"]) for axis in ("Tx", "Ty", "Tz", "Rx", "Ry", "Rz")])
        assert float(row["x_30"]) == pytest.approx(stored[30, 0], abs=0.01)
    assert seen[0] == pytest.approx(seen[1], abs=0.11)  # rounded to 0.1 mm
    assert seen[0][3:] == pytest.approx([-0.2, 0.3, 0.1], abs=1e-3)
