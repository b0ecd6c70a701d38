from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.media import picture
from tests.shapes import face_points
from tracker.drawing.picture import Picture
from tracker.errors import SinkError
from tracker.sinks.csv_table import CsvSink
from tracker.sinks.images import ImageSink
from tracker.sinks.json_lines import JsonSink
from tracker.sinks.video.sink import VideoSink
from tracker.sources.images.source import ReadFailure
from tracker.system.files import check_output
from tracker.types import FaceMeasures, FrameResult, Landmarks, TrackedFace

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")


def _result(n_faces: int = 1, index: int = 12, source: str = "a.mp4") -> FrameResult:
    faces = tuple(
        TrackedFace(i + 1, Landmarks(face_points((100.123 + 40 * i, 80)), 0.98765)) for i in range(n_faces)
    )
    return FrameResult(faces, index, 0.4, source, (480, 640))


def test_json_lines_follow_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with JsonSink(path) as sink:
        sink.write(_result(2))
        sink.write(_result(0, index=13))
        sink.write_failure(ReadFailure("bad.png", "cannot read bad.png"))
    full, empty, failed = (json.loads(line) for line in path.read_text("utf-8").splitlines())
    assert list(full) == ["source", "frame", "time_s", "width", "height", "faces"]
    assert (full["source"], full["frame"], full["time_s"]) == ("a.mp4", 12, 0.4)
    assert (full["width"], full["height"]) == (640, 480)
    assert [list(face) for face in full["faces"]] == [["id", "box", "score", "landmarks"]] * 2
    expected = _result(2).faces[1]
    np.testing.assert_allclose(
        full["faces"][1]["landmarks"], expected.landmarks.points_frame, atol=0.005 + 1e-9
    )
    np.testing.assert_allclose(full["faces"][1]["box"], expected.box.xyxy, atol=0.005 + 1e-9)
    assert full["faces"][1]["score"] == 0.9877
    assert (empty["frame"], empty["faces"]) == (13, [])
    assert failed == {
        "source": "bad.png", "frame": 0, "time_s": 0.0, "width": 0, "height": 0, "faces": [],
        "error": "cannot read bad.png",
    }  # fmt: skip


def test_every_line_is_on_disk_at_once(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with JsonSink(path) as sink:
        for n in (1, 2, 3):
            sink.write(_result())
            assert len(path.read_text().splitlines()) == n


def test_float32_landmarks_and_odd_names_survive(tmp_path: Path) -> None:
    points = face_points().astype(np.float32)
    result = FrameResult((TrackedFace(1, Landmarks(points)),), 0, 0.0, "müde\udcff.png", (4, 4))
    with JsonSink(tmp_path / "o.jsonl") as sink, CsvSink(tmp_path / "o.csv") as table:
        sink.write(result)
        table.write(result)
    line = json.loads((tmp_path / "o.jsonl").read_text("utf-8"))
    assert line["source"] == "müde\udcff.png"
    assert all(len(str(v).split(".")[1]) <= 2 for point in line["faces"][0]["landmarks"] for v in point)


def test_csv_has_a_row_a_face(tmp_path: Path) -> None:
    with CsvSink(tmp_path / "out.csv") as sink:
        sink.write(_result(2, source='odd, "name".mp4'))
        sink.write(_result(0))
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2
    assert len(rows[0]) == 9 + 136 + 7
    assert (rows[1]["source"], rows[1]["frame"], rows[1]["id"]) == ('odd, "name".mp4', "12", "2")
    x67, y67 = _result(2).faces[1].landmarks.points_frame[67]
    assert (float(rows[1]["x67"]), float(rows[1]["y67"])) == pytest.approx((x67, y67), abs=0.0051)
    assert float(rows[0]["x1_box"]) == pytest.approx(_result(2).faces[0].box.x1, abs=0.0051)


@pytest.mark.parametrize("sink_type", [JsonSink, CsvSink, VideoSink])
def test_bad_targets_are_named_at_the_door(
    tmp_path: Path, sink_type: type[JsonSink] | type[CsvSink] | type[VideoSink]
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.mp4").mkdir()
    for path in (tmp_path / "missing" / "o.mp4", tmp_path / "file" / "o.mp4", tmp_path / "folder.mp4"):
        with pytest.raises(SinkError, match="cannot write") as caught:
            sink_type(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs /proc, which even root cannot write")
@pytest.mark.parametrize("sink_type", [JsonSink, CsvSink, VideoSink])
def test_a_folder_that_cannot_be_written(sink_type: type[JsonSink]) -> None:
    with pytest.raises(SinkError, match=r"/proc/o\.mp4"):
        sink_type(Path("/proc/o.mp4"))


@needs_full
def test_a_full_disk_shows_at_the_line_that_did_not_fit() -> None:
    sink = JsonSink(FULL)
    with pytest.raises(SinkError, match="No space left"):
        sink.write(_result())
    sink.close()  # what did not fit is not tried again
    sink.close()
    with pytest.raises(SinkError, match="/dev/full"):
        CsvSink(FULL)


@pytest.mark.parametrize("sink_type", [JsonSink, CsvSink])
def test_text_never_overwrites_its_input(tmp_path: Path, sink_type: type[JsonSink]) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"precious")
    link = tmp_path / "link.mp4"
    link.symlink_to(clip)
    for path in (clip, link, tmp_path / "." / "clip.mp4"):
        with pytest.raises(SinkError, match="it is the input"):
            sink_type(path, [clip])
    assert clip.read_bytes() == b"precious"
    check_output(tmp_path / "other.mp4", [clip])


def test_images_keep_name_and_kind(tmp_path: Path) -> None:
    inputs = [tmp_path / name for name in ("a.png", "b.JPG", "c.bmp")]
    with ImageSink(tmp_path / "out", inputs) as sink:
        for path in inputs:
            sink.write(Picture(picture(3), source=path.name))
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.png", "b.JPG", "c.bmp.png"]
    assert (tmp_path / "out" / "b.JPG").read_bytes().startswith(b"\xff\xd8")
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "out" / "c.bmp.png")), picture(3))


def test_images_never_overwrite_each_other_or_an_input(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"several inputs .*same.png"):
        ImageSink(tmp_path / "out", [tmp_path / "a" / "same.png", tmp_path / "b" / "same.png"])
    assert not (tmp_path / "out").exists()
    (tmp_path / "a.png").touch()
    with pytest.raises(SinkError, match="it is the input"):
        ImageSink(tmp_path, [tmp_path / "a.png"])


def test_image_folder_errors(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "x", tmp_path / "no" / "such"):
        with pytest.raises(SinkError, match=str(path)):
            ImageSink(path, [])
    sink = ImageSink(tmp_path / "out", [])
    (tmp_path / "out" / "a.png").mkdir()
    with pytest.raises(SinkError, match=r"a\.png"):
        sink.write(Picture(picture(0), source="a.png"))


def test_quality_is_written_where_a_model_judges_it(tmp_path: Path) -> None:
    plain = _result(1)
    quality = np.linspace(0, 1, 68, dtype=np.float32)
    face = plain.faces[0]
    judged = replace(plain, faces=(replace(face, landmarks=replace(face.landmarks, quality=quality)),))
    with JsonSink(tmp_path / "a.jsonl") as sink:
        sink.write(plain)
        sink.write(judged)
    first, second = map(json.loads, (tmp_path / "a.jsonl").read_text().splitlines())
    assert "quality" not in first["faces"][0]
    assert second["faces"][0].pop("quality") == pytest.approx(quality, abs=5e-4)
    assert second == first


MEASURES = FaceMeasures((0.31239, None), 0.05, -12.3456, 4.0, 179.999, blinks=3)
NO_POSE = FaceMeasures((0.3, 0.29), None, None, None, None)


def _measured() -> FrameResult:
    plain = _result(3)
    measures = (MEASURES, NO_POSE, None)
    faces = tuple(replace(f, measures=m) for f, m in zip(plain.faces, measures, strict=True))
    return replace(plain, faces=faces)


def test_measures_are_written_and_null_where_there_is_none(tmp_path: Path) -> None:
    with JsonSink(tmp_path / "a.jsonl") as sink:
        sink.write(_measured())
    first, second, third = json.loads((tmp_path / "a.jsonl").read_text())["faces"]
    assert first["measures"] == {
        "eye_open": [0.3124, None], "mouth_open": 0.05, "yaw_deg": -12.35, "pitch_deg": 4.0,
        "roll_deg": 180.0, "blinks": 3,
    }  # fmt: skip
    assert second["measures"] == {
        "eye_open": [0.3, 0.29], "mouth_open": None, "yaw_deg": None, "pitch_deg": None, "roll_deg": None,
        "blinks": 0,
    }  # fmt: skip
    assert "measures" not in third


def test_csv_has_the_measures_last_and_leaves_out_what_is_not_known(tmp_path: Path) -> None:
    with CsvSink(tmp_path / "a.csv") as sink:
        sink.write(_measured())
    header, *rows = csv.reader((tmp_path / "a.csv").read_text().splitlines())
    names = ["eye_open_left", "eye_open_right", "mouth_open", "yaw_deg", "pitch_deg", "roll_deg", "blinks"]
    assert header[-8:] == ["y67", *names]
    assert [row[-7:] for row in rows] == [
        ["0.3124", "", "0.05", "-12.35", "4.0", "180.0", "3"], ["0.3", "0.29", "", "", "", "", "0"], [""] * 7,
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["../a.png", "/tmp/a.png", "..", "", "sub/a.png"])
def test_a_picture_goes_nowhere_but_into_its_folder(tmp_path: Path, name: str) -> None:
    with (
        ImageSink(tmp_path / "out", [tmp_path / "a.png"]) as sink,
        pytest.raises(SinkError, match="not the name"),
    ):
        sink.write(Picture(picture(3), source=name))
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
