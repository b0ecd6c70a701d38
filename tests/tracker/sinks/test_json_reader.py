from __future__ import annotations

import json
import math
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile import damaged
from tests.shapes import face_points, measured
from tracker.errors import ResultsError
from tracker.sinks.json_lines import FaceLine, JsonSink, read_results
from tracker.sources.images.source import ReadFailure
from tracker.types import FrameResult, Landmarks, TrackedFace


def frames(count: int = 3, source: str = "in.mp4") -> list[FrameResult]:
    points = face_points((100, 80), 60)
    face = TrackedFace(1, Landmarks(points, 0.9, np.linspace(0, 1, 68)), measured(points))
    return [
        FrameResult((face,) if index else (), index, index / 25, source, (480, 640)) for index in range(count)
    ]


def written(path: Path, results: list[FrameResult], failure: bool = True) -> Path:
    with JsonSink(path) as sink:
        for result in results:
            sink.write(result)
        if failure:
            sink.write_failure(ReadFailure("bad.png", "not an image"))
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    results = read_results(written(tmp_path / "o.jsonl", frames()))
    assert results.cut_off is None
    first, second, third, failed = results.lines
    assert (first.source, first.frame, first.time_s, first.faces, first.error) == ("in.mp4", 0, 0.0, (), None)
    assert (second.frame, third.time_s) == (1, 0.08)
    assert failed.error == "not an image"
    expected = frames()[1].faces[0].measures
    assert expected is not None
    assert second.faces[0] == FaceLine(
        id=1,
        score=0.9,
        quality=pytest.approx(0.5, abs=0.001),
        eye_left=pytest.approx(expected.eye_open[0], abs=1e-4),
        eye_right=pytest.approx(expected.eye_open[1], abs=1e-4),
        mouth=pytest.approx(expected.mouth_open, abs=1e-4),
        yaw_deg=pytest.approx(expected.yaw_deg, abs=0.01),
        pitch_deg=pytest.approx(expected.pitch_deg, abs=0.01),
        roll_deg=pytest.approx(expected.roll_deg, abs=0.01),
        blinks=0,
    )


def test_a_file_cut_anywhere_keeps_its_whole_lines(tmp_path: Path) -> None:
    path = written(tmp_path / "o.jsonl", frames())
    whole = path.read_bytes()
    ends = [at for at, byte in enumerate(whole) if byte == ord("\n")]
    for cut in [*range(ends[0] + 1, len(whole), 97), ends[1], ends[1] + 1, len(whole) - 1]:
        path.write_bytes(whole[:cut])
        results = read_results(path)
        kept = sum(end < cut for end in ends)
        # A line that lacks nothing but its end is whole.
        assert len(results.lines) == kept + (cut in ends)
        assert results.cut_off == (None if cut in ends or cut - 1 in ends else kept + 1)


def test_zeros_after_the_last_line_are_a_line_that_breaks_off(tmp_path: Path) -> None:
    path = written(tmp_path / "o.jsonl", frames())
    path.write_bytes(path.read_bytes() + bytes(4096))
    assert read_results(path).cut_off == 5


def test_damage_in_the_middle_is_refused_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path / "o.jsonl", frames())
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
def test_what_comes_from_elsewhere_is_refused_in_one_line(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "o.jsonl"
    path.write_bytes(content)
    with pytest.raises(ResultsError, match=words) as caught:
        read_results(path)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
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
_WHOLE = "\n".join(
    json.dumps({"source": "a", "frame": i, "time_s": i / 25, "faces": [_FACE]}) for i in range(3)
).encode()


def _reads_or_refuses(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with suppress(ResultsError):
        assert read_results(path).lines


@given(content=damaged(_WHOLE) | st.binary(max_size=80))
def test_damaged_lines_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    _reads_or_refuses(tmp_path_factory.getbasetemp() / "damaged.jsonl", content)


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
def test_odd_values_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, record: Any) -> None:
    _reads_or_refuses(tmp_path_factory.getbasetemp() / "odd.jsonl", json.dumps(record).encode() + b"\n")
