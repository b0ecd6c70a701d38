"""Landmarks of every scheme: tracked, measured, drawn, mirrored, hidden, and written and read back."""

from __future__ import annotations

import copy
import csv
import io
import json
import pickle
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.schemes import ALL_SCHEMES, HAND, in_crop, placed
from tests.shapes import covers, face_box, face_points
from tests.strategies import examples, floats
from tracker.drawing.faces import draw_faces, mirror_faces
from tracker.drawing.heads import Head
from tracker.drawing.style import DrawStyle
from tracker.errors import MisuseError, ResultsError, SinkError
from tracker.geometry import CropTransform, mirror_points
from tracker.inference.detection.detector import FakeDetector
from tracker.inference.landmarker import FakeLandmarker, Located
from tracker.reports.steadiness.runs import check_scheme as check_steadiness
from tracker.runs.checkpoints import Checkpoint, VideoProgress
from tracker.runs.identity import RunIdentity
from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.placing import roll_of
from tracker.scheme.shipped import SCHEMES
from tracker.scheme.value import CropRule, Scheme, plain_scheme
from tracker.sinks.csv_table import CsvSink, csv_header, read_table, results_table
from tracker.sinks.json_lines import JsonSink, read_results
from tracker.sinks.labels import DlibSink, PtsSink
from tracker.sinks.openface import OpenFaceSink
from tracker.sinks.opening import open_sink
from tracker.sinks.osc import face_messages
from tracker.sinks.parquet import ParquetSink
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.settings import TrackerSettings
from tracker.tracking.smoothing import PRESETS, PointFilter
from tracker.tracking.state import TrackerState
from tracker.types import Frame, FrameResult, ImageArray, Landmarks, TrackedFace

BLANK: ImageArray = np.zeros((240, 320, 3), np.uint8)
CENTER = (160.0, 120.0)

any_scheme = pytest.mark.parametrize("scheme", ALL_SCHEMES, ids=str)
schemes = st.sampled_from(ALL_SCHEMES)
shipped = st.sampled_from(list(SCHEMES.values()))


def tracker_of(scheme: Scheme, quality: bool = False) -> FaceTracker:
    """Return a tracker that finds one face of ``scheme`` in the middle of the picture, exactly."""
    judged = np.linspace(0.9, 1, scheme.n_points) if quality else None
    landmarker = FakeLandmarker(in_crop(scheme), 0.9, judged, scheme)
    settings = TrackerSettings(max_faces=1, smoothing=PRESETS["low"])
    return FaceTracker(FakeDetector(face_box(CENTER, 100)), landmarker, settings)


def one_result(scheme: Scheme, name: str = "a.png") -> FrameResult:
    return tracker_of(scheme, quality=True).step(Frame(BLANK, source=name))


@any_scheme
def test_a_face_is_tracked_under_one_id_with_the_points_of_its_scheme(scheme: Scheme) -> None:
    tracker = tracker_of(scheme)
    results = [tracker.step(Frame(BLANK, i, i / 25)) for i in range(12)]
    assert [[face.id for face in result.faces] for result in results] == [[1]] * 12
    assert {result.left_out for result in results} == {0}
    landmarks = results[-1].faces[0].landmarks
    assert (results[-1].scheme, landmarks.scheme) == (scheme, scheme)
    if scheme != HAND:  # the box of which has another middle
        assert landmarks.points_frame == pytest.approx(placed(scheme, CENTER, 100), abs=12)
    (alone,) = tracker.find(BLANK).faces
    assert alone.landmarks.points_frame.shape == (scheme.n_points, 2)


@pytest.mark.parametrize(("margin", "found"), [(0.9, 1), (1.35, 1), (2.7, 0)])
def test_the_least_size_is_that_of_the_points_whatever_the_detectors_box(margin: float, found: int) -> None:
    """The detector's box has 100 pixels; the points span 150, 100 and 50 of them."""
    scheme = replace(HAND, crop=CropRule(margin=margin))
    landmarker = FakeLandmarker(in_crop(scheme), scheme=scheme)
    settings = TrackerSettings(max_faces=1, min_face=90)
    tracker = FaceTracker(FakeDetector(face_box(CENTER, 100)), landmarker, settings)
    assert len(tracker.find(BLANK).faces) == found
    (face,) = FaceTracker(FakeDetector(face_box(CENTER, 100)), landmarker).find(BLANK).faces
    assert max(face.box.width, face.box.height) == pytest.approx(135 / margin, rel=0.02)


@any_scheme
def test_measures_that_a_scheme_does_not_allow_are_absent(scheme: Scheme) -> None:
    (face,) = one_result(scheme).faces
    allowed, measures = scheme.measured, face.measures
    assert [ratio is not None for ratio in measures.eye_open] == [allowed.left_eye is not None] * 2
    assert (measures.mouth_open is not None) == (allowed.mouth is not None)
    assert (measures.yaw_deg is not None) == (allowed.pose is not None)
    addresses = {address for address, _ in face_messages(face)}
    assert ("/tracker/face/blinks" in addresses) == (scheme in (IBUG68, SCHEMES["wflw98"]))
    assert ("/tracker/face/mouth_open" in addresses) == (allowed.mouth is not None)


def test_eyes_and_mouth_measure_alike_on_the_schemes_that_have_them() -> None:
    """The rings of WFLW and JD are circles of eight points where iBUG's are of six: they differ a little."""
    faces = {name: one_result(SCHEMES[name]).faces[0].measures for name in ("ibug68", "wflw98", "jd106")}
    for measures in faces.values():
        assert measures.mouth_open == pytest.approx(faces["ibug68"].mouth_open, rel=1e-6)
        assert measures.eye_open[0] == pytest.approx(faces["ibug68"].eye_open[0], rel=0.25)
        assert measures.eye_open[0] == pytest.approx(measures.eye_open[1], rel=1e-6)
    assert faces["wflw98"].pitch_deg == pytest.approx(faces["ibug68"].pitch_deg, abs=3)


@any_scheme
def test_the_model_sees_about_the_same_part_of_the_picture(scheme: Scheme) -> None:
    """The disc of a head drawn on the picture has the same place and size in every crop."""
    seen: list[ImageArray] = []

    class Watching(FakeLandmarker):
        def locate(self, crops: ImageArray) -> Located:
            seen.extend(crops.copy())
            return super().locate(crops)

    picture = BLANK.copy()
    cv2.circle(picture, (160, 120), 40, (255, 255, 255), -1)
    tracker = FaceTracker(FakeDetector(face_box(CENTER, 100)), Watching(in_crop(scheme), scheme=scheme))
    for index in range(3):
        tracker.step(Frame(picture, index, index / 25))
    for crop in seen if scheme != HAND else seen[:1]:
        ys, xs = np.nonzero(crop > 127)
        assert np.ptp(xs) == pytest.approx(80 * 224 / 135, rel=0.15)
        assert np.hypot(xs.mean() - 111.5, ys.mean() - 111.5) < 20


@examples(40)
@given(schemes, floats(-3, 3), floats(-200, 200), st.integers(2, 400))
def test_a_picture_mirrored_twice_has_the_same_faces(
    scheme: Scheme, roll: float, x: float, width: int
) -> None:
    points = placed(scheme, (x, 50.0), 60, roll)
    quality = np.linspace(0, 1, scheme.n_points)
    face = TrackedFace(1, Landmarks(points, 0.5, quality, scheme))
    (twice,) = mirror_faces(mirror_faces([face], width), width)
    assert twice.landmarks.points_frame == pytest.approx(points, abs=1e-9)
    assert twice.landmarks.quality == pytest.approx(quality)
    assert twice.landmarks.scheme == scheme
    (once,) = mirror_faces([face], width)
    expected = -roll_of(points, scheme)
    assert np.cos(roll_of(once.landmarks.points_frame, scheme) - expected) == pytest.approx(1, abs=1e-6)


@examples(30)
@given(shipped, floats(-3, 3), floats(20, 300), floats(-100, 100))
def test_crops_of_a_mirrored_face_are_mirrored(scheme: Scheme, roll: float, size: float, x: float) -> None:
    points = placed(scheme, (x, 10.0), size, roll)
    crop = CropTransform.from_points(points, scheme)
    mirrored = CropTransform.from_points(mirror_points(points, 320, scheme), scheme)
    assert mirrored.center == pytest.approx((319 - crop.center[0], crop.center[1]), abs=1e-6)
    assert mirrored.side == pytest.approx(crop.side)


@any_scheme
def test_every_layer_is_drawn_where_there_is_something_to_draw(scheme: Scheme) -> None:
    faces = one_result(scheme).faces
    for layer, expected in {"points": True, "lines": bool(scheme.edges), "mesh": bool(scheme.edges)}.items():
        canvas = BLANK.copy()
        draw_faces(canvas, faces, DrawStyle.parse(layer))
        assert canvas.any() == expected
    canvas = BLANK.copy()
    draw_faces(canvas, faces, DrawStyle.parse("box", labels=True))
    assert canvas.any()


@pytest.mark.parametrize("scheme", [*SCHEMES.values()], ids=str)
def test_corners_stand_around_the_whole_face(scheme: Scheme) -> None:
    canvas = BLANK.copy()
    face = TrackedFace(1, Landmarks(placed(scheme, CENTER, 100), scheme=scheme))
    draw_faces(canvas, [face], DrawStyle.parse("box"))
    ys, xs = np.nonzero(canvas.any(axis=2))
    points = face_points(CENTER, 100)
    assert xs.min() < points[:, 0].min()
    assert xs.max() > points[:, 0].max()
    assert ys.max() > points[:, 1].max()
    assert np.ptp(xs) < 1.5 * np.ptp(points[:, 0])


@pytest.mark.parametrize("scheme", [*SCHEMES.values()], ids=str)
@pytest.mark.parametrize("roll", [0.0, 1.2, np.pi])
def test_the_head_of_any_points_covers_the_whole_face(scheme: Scheme, roll: float) -> None:
    """Also of five points in its middle, and whichever way it is turned if the points do not tell that."""
    face = face_points(CENTER, 100, roll)
    points = placed(scheme, CENTER, 100, roll)
    level = plain_scheme("no roll", scheme.n_points)
    heads = [Head.of_points(points, scheme)]
    heads += [Head.of_points(points, level)] if scheme.crop.box_per_points == 1 else []
    for head in heads:
        assert covers(head, face).all()
        assert head.half_width < 150


@examples(30)
@given(schemes, floats(-4, 4), floats(-40, 40), floats(0.5, 2))
def test_smoothing_keeps_a_face_at_rest_and_follows_a_rigid_motion(
    scheme: Scheme, turn: float, shift: float, scale: float
) -> None:
    """A rigid motion is the head's: points keep their places on it, whatever the parts of the scheme."""
    preset = PRESETS["low"]
    assert preset is not None
    smooth = PointFilter(preset, scheme=scheme)
    still = placed(scheme, CENTER, 100)
    assert smooth(still, 0.0) == pytest.approx(still)
    assert smooth(still, 0.04) == pytest.approx(still)
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    moved = still @ np.array([[cos, sin], [-sin, cos]]) + shift
    after = smooth(moved, 0.08)
    z, w = still @ (1, 1j), after @ (1, 1j)
    arms, turned = z - z.mean(), w - w.mean()
    factor = np.vdot(arms, turned) / np.vdot(arms, arms)
    assert np.abs(turned - factor * arms).max() < 1e-6 * (1 + np.abs(turned).max())


@any_scheme
def test_results_survive_pickles_and_copies_and_differ_from_those_of_another_scheme(scheme: Scheme) -> None:
    result = one_result(scheme)
    for again in (pickle.loads(pickle.dumps(result)), copy.deepcopy(result), copy.copy(result)):
        assert again == result
        assert again.scheme == scheme
        assert again.faces[0].landmarks.scheme == scheme
    other = plain_scheme("other", scheme.n_points)
    landmarks = result.faces[0].landmarks
    assert Landmarks(landmarks.points_frame, landmarks.presence, landmarks.quality, other) != landmarks
    assert ("scheme" in result.to_dict()) == (scheme != IBUG68)


def test_a_pickle_of_the_default_scheme_does_not_hold_it() -> None:
    sizes = {s.name: len(pickle.dumps(one_result(s))) for s in (IBUG68, SCHEMES["wflw98"])}
    assert b"left_brow" not in pickle.dumps(one_result(IBUG68))
    assert b"left_brow" in pickle.dumps(one_result(SCHEMES["wflw98"]))
    assert sizes["ibug68"] < 5000


@any_scheme
def test_a_run_goes_on_from_its_state_and_its_checkpoint(scheme: Scheme) -> None:
    straight, stopped, resumed = (tracker_of(scheme) for _ in range(3))
    frames = [Frame(BLANK, i, i / 25) for i in range(8)]
    expected = [straight.step(frame) for frame in frames]
    for frame in frames[:4]:
        stopped.step(frame)
    text = json.dumps(Checkpoint(4, 1, 1, VideoProgress(stopped.state())).to_json())
    progress = Checkpoint.from_json(json.loads(text), scheme).progress
    assert isinstance(progress, VideoProgress)
    resumed.restore(progress.state)
    assert [resumed.step(frame) for frame in frames[4:]] == expected[4:]


def test_a_state_of_another_scheme_is_refused() -> None:
    five, wide = tracker_of(SCHEMES["five"]), tracker_of(IBUG68)
    five.step(Frame(BLANK))
    with pytest.raises(MisuseError, match=r"ibug68 \(68 points\), the state has five \(5 points\)"):
        wide.restore(five.state())
    with pytest.raises(ValueError, match=r"no state of a tracker: .*landmarks of ibug68"):
        TrackerState.from_json(five.state().to_json())


def test_the_scheme_is_part_of_the_identity_of_a_run() -> None:
    runs = [RunIdentity("images", [], {}, scheme).to_json() for scheme in ALL_SCHEMES]
    assert len({json.dumps(run) for run in runs}) == len(ALL_SCHEMES)
    assert "scheme" not in runs[0]  # checkpoints of the shipped models stay valid


@any_scheme
def test_a_csv_table_is_read_back(scheme: Scheme, tmp_path: Path) -> None:
    result = one_result(scheme)
    with CsvSink(tmp_path / "a.csv", scheme=scheme) as sink:
        sink.write(result)
    table = read_table(tmp_path / "a.csv")
    assert tuple(table) == csv_header(scheme.n_points)
    assert table == results_table(result)
    last = scheme.n_points - 1
    assert table[f"y{last}"] == [pytest.approx(result.faces[0].landmarks.points_frame[last, 1], abs=0.005)]


@any_scheme
def test_a_parquet_table_is_read_back(scheme: Scheme, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    with ParquetSink(tmp_path / "a.parquet", scheme=scheme) as sink:
        sink.write(one_result(scheme))
    (row,) = parquet.read_table(tmp_path / "a.parquet").to_pylist()
    expected = results_table(one_result(scheme))
    assert {name: row[name] for name in expected} == {name: cells[0] for name, cells in expected.items()}
    assert len(row["quality"]) == scheme.n_points


@any_scheme
def test_json_lines_name_the_scheme_and_are_read_back(scheme: Scheme, tmp_path: Path) -> None:
    path, empty = tmp_path / "a.jsonl", FrameResult((), 1, 0.04, "a.png", (240, 320), scheme=scheme)
    with JsonSink(path) as sink:
        sink.write(one_result(scheme))
        sink.write(empty)
    first, second = read_results(path).lines
    assert first.scheme == (plain_scheme("hand", 21) if scheme == HAND else scheme)
    assert second.scheme == (None if scheme == HAND else scheme)
    record = json.loads(path.read_text().splitlines()[0])
    assert record.get("scheme") == (None if scheme == IBUG68 else scheme.name)
    assert len(record["faces"][0]["landmarks"]) == scheme.n_points


@any_scheme
def test_pts_and_xml_labels_hold_every_point_in_order(scheme: Scheme, tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    cv2.imwrite(str(picture), BLANK)
    result = one_result(scheme)
    points = result.faces[0].landmarks.points_frame
    with (
        PtsSink(tmp_path / "labels", [picture]) as pts,
        DlibSink(tmp_path / "l.xml", [picture], scheme=scheme) as xml,
    ):
        pts.write(result)
        xml.write(result)
    lines = (tmp_path / "labels" / "a.pts").read_text().splitlines()
    assert f"n_points: {scheme.n_points}" in lines
    read = np.array([line.split() for line in lines[3:-1]], float) - 1
    assert read == pytest.approx(points, abs=0.006)
    root = ET.fromstring((tmp_path / "l.xml").read_text())
    parts = list(root.iter("part"))
    assert [int(part.attrib["name"]) for part in parts] == list(range(scheme.n_points))
    assert len({len(part.attrib["name"]) for part in parts}) == 1
    assert np.array([[float(part.attrib[axis]) for axis in "xy"] for part in parts]) == pytest.approx(
        points, abs=0.51
    )
    named = "iBUG 300-W" if scheme == IBUG68 else scheme.name
    assert f"{scheme.n_points} points in the order of" in (root.findtext("comment") or "")
    assert named in (root.findtext("comment") or "")


@any_scheme
def test_labels_of_a_mirrored_photograph_are_in_the_order_of_the_stored_one(
    scheme: Scheme, tmp_path: Path
) -> None:
    picture = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x0112] = 2  # mirrored
    Image.fromarray(BLANK).save(picture, exif=exif)
    result = one_result(scheme, "a.jpg")
    with PtsSink(tmp_path / "labels", [picture]) as pts:
        pts.write(result)
    lines = (tmp_path / "labels" / "a.pts").read_text().splitlines()
    read = np.array([line.split() for line in lines[3:-1]], float) - 1
    assert read == pytest.approx(
        mirror_points(result.faces[0].landmarks.points_frame, 320, scheme), abs=0.006
    )


def test_names_of_schemes_cannot_break_the_comment_of_the_labels(tmp_path: Path) -> None:
    with DlibSink(tmp_path / "l.xml", [], scheme=plain_scheme("a --> & <b> ---", 5)):
        pass
    comment = ET.fromstring((tmp_path / "l.xml").read_text()).findtext("comment") or ""
    assert "a - -> & <b> - - -" in comment


def wrong_sinks() -> list[Callable[[Path], object]]:
    five = SCHEMES["five"]
    return [
        lambda folder: CsvSink(folder / "a.csv", scheme=five),
        lambda folder: ParquetSink(folder / "a.parquet", scheme=five),
        lambda folder: DlibSink(folder / "a.xml", [folder / "a.png"], scheme=five),
        lambda folder: open_sink(folder / "b.csv"),
    ]


@pytest.mark.parametrize("opener", wrong_sinks())
def test_a_table_refuses_faces_of_another_scheme(opener: Callable[[Path], object], tmp_path: Path) -> None:
    sink = opener(tmp_path)
    with sink, pytest.raises(MisuseError, match=r"open it with scheme=tracker\.scheme"):  # type: ignore[attr-defined]
        sink.write(one_result(SCHEMES["wflw98"]))  # type: ignore[attr-defined]


def test_a_table_of_any_scheme_is_opened_by_name(tmp_path: Path) -> None:
    tracker = tracker_of(HAND)
    with open_sink(tmp_path / "a.csv", scheme=tracker.scheme) as sink:
        sink.write(tracker.step(Frame(BLANK)))
    rows = list(csv.reader(io.StringIO((tmp_path / "a.csv").read_text())))
    assert [len(row) for row in rows] == [len(csv_header(21))] * 2


def test_results_of_several_schemes_make_no_table() -> None:
    with pytest.raises(MisuseError, match="of one scheme"):
        results_table([one_result(IBUG68), one_result(SCHEMES["five"])])


def test_openface_refuses_other_points_in_one_line_and_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")
    with pytest.raises(SinkError, match=r"points of ibug68, and the model finds five \(5 points\); take"):
        OpenFaceSink(path, scheme=SCHEMES["five"])
    assert path.read_text() == "old"
    with OpenFaceSink(path) as sink, pytest.raises(MisuseError, match="take CsvSink"):
        sink.write(one_result(SCHEMES["five"]))


def test_a_crop_fitted_to_a_model_leaves_its_points_those_of_ibug(tmp_path: Path) -> None:
    fitted = replace(IBUG68, crop=CropRule(box_margin=1.4, box_shift=(0.01, 0.02)))
    result = replace(one_result(IBUG68), scheme=fitted)
    with OpenFaceSink(tmp_path / "a.csv", scheme=fitted) as sink:
        sink.write(result)
    with OpenFaceSink(tmp_path / "b.csv") as sink:
        sink.write(one_result(IBUG68))
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert result.to_dict() == one_result(IBUG68).to_dict()
    check_steadiness(fitted)
    DlibSink(tmp_path / "a.xml", [], scheme=fitted).close()
    assert "in the order of iBUG 300-W" in (tmp_path / "a.xml").read_text()


@pytest.mark.parametrize(
    ("name", "reason"), [(5, "named by text"), ("x" * 99, "printable name"), ("fox", "3 and 4 points")]
)
def test_lines_with_impossible_schemes_are_refused(name: object, reason: str, tmp_path: Path) -> None:
    faces = [
        {"id": count, "box": [0, 0, 1, 1], "score": 0.5, "landmarks": [[0, 0]] * count}
        for count in ((3, 4) if name == "fox" else (3,))
    ]
    line = {"source": "a", "frame": 0, "time_s": 0, "scheme": name, "faces": faces}
    (tmp_path / "a.jsonl").write_text(json.dumps(line) + "\n")
    with pytest.raises(ResultsError, match=reason):
        read_results(tmp_path / "a.jsonl")


def test_an_own_scheme_with_the_name_of_a_shipped_one_keeps_its_number_of_points(tmp_path: Path) -> None:
    face = {"id": 1, "box": [0, 0, 1, 1], "score": 0.5, "landmarks": [[0, 0]] * 7}
    line = {"source": "a", "frame": 0, "time_s": 0, "scheme": "five", "faces": [face]}
    (tmp_path / "a.jsonl").write_text(json.dumps(line) + "\n")
    (read,) = read_results(tmp_path / "a.jsonl").lines
    assert read.scheme == plain_scheme("five", 7)
