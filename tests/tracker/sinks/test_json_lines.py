from __future__ import annotations

import json
import math
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile import damaged
from tests.results import (
    FAILURE,
    faces_in_a_row,
    frames_of_one_face,
    read_json_lines,
    three_measured_faces,
    write_json_lines,
)
from tests.shapes import face_points
from tracker.errors import ResultsError
from tracker.sinks.json_lines import FaceLine, JsonSink, read_results
from tracker.types import Damage, FrameResult, Landmarks, TrackedFace


def test_a_line_has_the_documented_fields(tmp_path: Path) -> None:
    frames = [faces_in_a_row(2), faces_in_a_row(0, index=13)]
    full, empty, failed = read_json_lines(write_json_lines(tmp_path / "out.jsonl", frames, FAILURE))
    assert list(full) == ["source", "frame", "time_s", "width", "height", "faces"]
    assert (full["source"], full["frame"], full["time_s"]) == ("a.mp4", 12, 0.4)
    assert (full["width"], full["height"]) == (640, 480)
    assert [list(face) for face in full["faces"]] == [["id", "box", "score", "landmarks", "measures"]] * 2
    expected = frames[0].faces[1]
    np.testing.assert_allclose(
        full["faces"][1]["landmarks"], expected.landmarks.points_frame, atol=0.005 + 1e-9
    )
    np.testing.assert_allclose(full["faces"][1]["box"], expected.box.xyxy, atol=0.005 + 1e-9)
    assert full["faces"][1]["score"] == 0.9877
    assert (empty["frame"], empty["faces"]) == (13, [])
    assert failed == {
        "source": "bad.png", "frame": 0, "time_s": 0.0, "width": 0, "height": 0, "faces": [],
        "error": "not an image",
    }  # fmt: skip


def test_damage_is_written_with_the_frame(tmp_path: Path) -> None:
    damaged_frame = replace(faces_in_a_row(0), damage=Damage(lost_before=3, lost_after=None, byte=7))
    (line,) = read_json_lines(write_json_lines(tmp_path / "a.jsonl", [damaged_frame]))
    assert line["damage"] == {
        "lost_before": 3, "lost_after": None, "guessed": False, "time_mended": False, "byte": 7,
    }  # fmt: skip


def test_every_line_is_on_disk_at_once(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with JsonSink(path) as sink:
        for n in (1, 2, 3):
            sink.write(faces_in_a_row())
            assert len(path.read_text().splitlines()) == n


def test_lines_can_be_appended_to_a_file(tmp_path: Path) -> None:
    path = write_json_lines(tmp_path / "o.jsonl", [faces_in_a_row(index=0)])
    with JsonSink(path, append=True) as sink:
        sink.write(faces_in_a_row(index=1))
    assert [line["frame"] for line in read_json_lines(path)] == [0, 1]


def test_float32_landmarks_are_rounded_and_odd_file_names_kept(tmp_path: Path) -> None:
    points = face_points().astype(np.float32)
    result = FrameResult((TrackedFace(1, Landmarks(points)),), 0, 0.0, "müde\udcff.png", (4, 4))
    (line,) = read_json_lines(write_json_lines(tmp_path / "o.jsonl", [result]))
    assert line["source"] == "müde\udcff.png"
    assert all(len(str(v).split(".")[1]) <= 2 for point in line["faces"][0]["landmarks"] for v in point)


def test_quality_is_written_where_a_model_judges_it(tmp_path: Path) -> None:
    plain = faces_in_a_row(1)
    quality = np.linspace(0, 1, 68, dtype=np.float32)
    face = plain.faces[0]
    judged = replace(plain, faces=(replace(face, landmarks=replace(face.landmarks, quality=quality)),))
    first, second = read_json_lines(write_json_lines(tmp_path / "a.jsonl", [plain, judged]))
    assert "quality" not in first["faces"][0]
    assert second["faces"][0].pop("quality") == pytest.approx(quality, abs=5e-4)
    assert second == first


def test_unknown_measures_are_null(tmp_path: Path) -> None:
    (line,) = read_json_lines(write_json_lines(tmp_path / "a.jsonl", [three_measured_faces()]))
    first, second, third = line["faces"]
    assert first["measures"] == {
        "eye_open": [0.3124, None], "mouth_open": 0.05, "yaw_deg": -12.35, "pitch_deg": 4.0,
        "roll_deg": 180.0, "blinks": 3,
    }  # fmt: skip
    assert second["measures"] == {
        "eye_open": [0.3, 0.29], "mouth_open": None, "yaw_deg": None, "pitch_deg": None, "roll_deg": None,
        "blinks": 0,
    }  # fmt: skip
    assert third["measures"] == {**second["measures"], "eye_open": [None, None]}


def test_written_lines_are_read_back(tmp_path: Path) -> None:
    results = read_results(write_json_lines(tmp_path / "o.jsonl", frames_of_one_face(), FAILURE))
    assert results.cut_off is None
    first, second, third, failed = results.lines
    assert (first.source, first.frame, first.time_s, first.faces, first.error) == ("in.mp4", 0, 0.0, (), None)
    assert (second.frame, third.time_s) == (1, 0.08)
    assert failed.error == "not an image"
    (face,) = second.faces
    measures = frames_of_one_face()[1].faces[0].measures
    assert (face.id, face.score, face.blinks) == (1, 0.9, 0)
    assert face.quality == pytest.approx(0.5, abs=0.001)
    assert (face.eye_left, face.eye_right) == pytest.approx(measures.eye_open, abs=1e-4)
    assert face.mouth == pytest.approx(measures.mouth_open, abs=1e-4)
    angles = (measures.yaw_deg, measures.pitch_deg, measures.roll_deg)
    assert (face.yaw_deg, face.pitch_deg, face.roll_deg) == pytest.approx(angles, abs=0.01)


def test_faces_without_measures_are_read_back(tmp_path: Path) -> None:
    (line,) = read_results(write_json_lines(tmp_path / "o.jsonl", [faces_in_a_row()])).lines
    assert line.faces == (FaceLine(1, 0.9877, None, None, None, None, None, None, None, 0),)


def test_complete_lines_of_a_file_cut_anywhere_are_read(tmp_path: Path) -> None:
    path = write_json_lines(tmp_path / "o.jsonl", frames_of_one_face(), FAILURE)
    whole = path.read_bytes()
    ends = [at for at, byte in enumerate(whole) if byte == ord("\n")]
    for cut in [*range(ends[0] + 1, len(whole), 97), ends[1], ends[1] + 1, len(whole) - 1]:
        path.write_bytes(whole[:cut])
        results = read_results(path)
        kept = sum(end < cut for end in ends)
        # A line that lacks only its newline is complete.
        assert len(results.lines) == kept + (cut in ends)
        assert results.cut_off == (None if cut in ends or cut - 1 in ends else kept + 1)


def test_zeros_after_the_last_line_count_as_an_incomplete_line(tmp_path: Path) -> None:
    path = write_json_lines(tmp_path / "o.jsonl", frames_of_one_face(), FAILURE)
    path.write_bytes(path.read_bytes() + bytes(4096))
    assert read_results(path).cut_off == 5


def test_damage_in_the_middle_is_refused_with_the_line_number(tmp_path: Path) -> None:
    path = write_json_lines(tmp_path / "o.jsonl", frames_of_one_face(), FAILURE)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([lines[0], lines[1][:50] + "\n", *lines[2:]]))
    with pytest.raises(ResultsError, match=r"o\.jsonl:2: .*--json"):
        read_results(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"frame,face_id\n1,0\n", "o.jsonl:1"),
        (b"\x89PNG\r\n\x1a\n", "o.jsonl:1"),
        (b"{}\n", "'source' is missing"),
        (b"[1, 2]\n", "o.jsonl:1"),
        (b'{"source": "a", "frame": 0, "time_s": 0', "o.jsonl:1"),
        (b'{"source": 5, "frame": 0, "time_s": 0, "faces": []}\n', "must be text"),
        (b'{"source": "a", "frame": 0.5, "time_s": 0, "faces": []}\n', "whole number"),
        (b'{"source": "a", "frame": true, "time_s": 0, "faces": []}\n', "expected a number"),
        (b'{"source": "a", "frame": 0, "time_s": NaN, "faces": []}\n', "NaN"),
        (b'{"source": "a", "frame": 0, "time_s": 1e300, "faces": []}\n', "1e\\+300"),
        (b'{"source": "a", "frame": 0, "time_s": 0, "faces": [5]}\n', "o.jsonl:1"),
        (b'{"source": "a", "frame": 0, "time_s": 0, "faces": [{"id": 1, "score": 2}]}\n', "0 to 1"),
        (
            b'{"source": "a", "frame": 0, "time_s": 0, '
            b'"faces": [{"id": 1, "score": 1}, {"id": 1, "score": 1}]}\n',
            "twice",
        ),
    ],
)  # fmt: skip
def test_other_files_are_refused_with_one_line(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "o.jsonl"
    path.write_bytes(content)
    with pytest.raises(ResultsError, match=words) as caught:
        read_results(path)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(ResultsError, match="cannot read"):
            read_results(path)


_FACE = {
    "id": 1,
    "score": 1.0,
    "quality": [1.0],
    "measures": {
        "eye_open": [0.3, None],
        "mouth_open": 0.1,
        "yaw_deg": 1.0,
        "pitch_deg": 1,
        "roll_deg": 0.0,
        "blinks": 0,
    },
}
_COMPLETE = "\n".join(
    json.dumps({"source": "a", "frame": i, "time_s": i / 25, "faces": [_FACE]}) for i in range(3)
).encode()


def _read_or_refuse(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with suppress(ResultsError):
        assert read_results(path).lines


@given(content=damaged(_COMPLETE) | st.binary(max_size=80))
def test_damaged_lines_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    _read_or_refuse(tmp_path_factory.getbasetemp() / "damaged.jsonl", content)


_floats = st.sampled_from((0.0, -1.5, 1e300, math.inf, math.nan))
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | _floats | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
_odd = st.one_of(_values, st.just(10**400), st.just(0.5))
_faces = st.fixed_dictionaries(
    {"id": st.just(1) | _odd, "score": st.just(0.5) | _odd},
    optional={
        "quality": _odd,
        "measures": _odd
        | st.fixed_dictionaries(
            {}, optional=dict.fromkeys(("eye_open", "mouth_open", "yaw_deg", "blinks"), _odd)
        ),
    },
)


@given(
    record=st.fixed_dictionaries(
        {
            "source": st.text(max_size=5) | _odd,
            "frame": st.just(1) | _odd,
            "time_s": st.just(0.5) | _odd,
            "faces": st.lists(_faces | _odd, max_size=2) | _odd,
        },
        optional={"error": _odd},
    )
)
def test_odd_values_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, record: dict[str, Any]
) -> None:
    _read_or_refuse(tmp_path_factory.getbasetemp() / "odd.jsonl", json.dumps(record).encode() + b"\n")


@pytest.mark.parametrize("name", ["a\x1b[2Jb", "a\x9b2Jb", "a\x7fb", "a\u202egpj.exe", "a\nb", "a\u2028b"])
def test_control_characters_are_escaped_in_a_line(tmp_path: Path, name: str) -> None:
    path = write_json_lines(tmp_path / "o.jsonl", [faces_in_a_row(source=name)])
    text = path.read_text("utf-8")
    assert text.removesuffix("\n").isprintable()
    assert json.loads(text)["source"] == name
    assert read_results(str(path)).lines[0].source == name


def test_an_endless_line_is_refused_at_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.sinks.json_lines._MAX_LINE", 5000)
    path = write_json_lines(tmp_path / "o.jsonl", [faces_in_a_row()])
    with path.open("ab") as file:
        file.write(bytes(6000))
    with pytest.raises(ResultsError, match=r"o\.jsonl:2: a line of more than"):
        read_results(path)
    if Path("/dev/zero").exists():
        with pytest.raises(ResultsError, match=r"/dev/zero:1: a line of more than"):
            read_results("/dev/zero")


def test_the_shape_of_pixels_stands_in_a_line_where_they_are_not_square(tmp_path: Path) -> None:
    shapes = (1.0, 16 / 15, 0.5)
    pairs = zip(frames_of_one_face(), shapes, strict=True)
    frames = [replace(frame, pixel_aspect=aspect) for frame, aspect in pairs]
    path = write_json_lines(tmp_path / "o.jsonl", frames)
    assert [line.get("pixel_aspect") for line in read_json_lines(path)] == [None, 1.066667, 0.5]
    assert [line.pixel_aspect for line in read_results(path).lines] == [1.0, 1.066667, 0.5]
    assert [frame.to_dict().get("pixel_aspect") for frame in frames] == [None, 16 / 15, 0.5]


@pytest.mark.parametrize("aspect", ["0", "9", "-1", '"16:15"', "true", "null"])
def test_a_line_with_an_impossible_shape_of_pixels_is_refused(tmp_path: Path, aspect: str) -> None:
    path = write_json_lines(tmp_path / "o.jsonl", frames_of_one_face(1))
    path.write_text(path.read_text().replace('"faces"', f'"pixel_aspect": {aspect}, "faces"'))
    with pytest.raises(ResultsError, match=r"o\.jsonl:1"):
        read_results(path)
