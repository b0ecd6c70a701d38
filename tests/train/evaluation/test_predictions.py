import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.tiny import face_points
from tests.train.evaluation.examples import line, write
from tracker.types import FloatArray
from train.errors import DataError
from train.evaluation.predictions import match, nearest_face, read_lines

TRUTH = face_points()


FAR = face_points((600, 500), 100)


def error_line(name: str) -> str:
    return json.dumps({"source": name, "frame": 0, "error": "not an image"})


def test_lines_are_read_by_name(tmp_path: Path) -> None:
    path = write(tmp_path / "p.jsonl", line("a.jpg", TRUTH, FAR), line("b.jpg"), error_line("c.jpg"))
    found = read_lines(path)
    assert list(found) == ["a.jpg", "b.jpg", "c.jpg"]
    assert [len(line.faces) for line in found.values()] == [2, 0, 0]
    assert [line.error for line in found.values()] == [None, None, "not an image"]
    assert np.array_equal(found["a.jpg"].faces[1], FAR)


@pytest.mark.parametrize("name", ["a\u2028b.jpg", "a\x0cb.jpg", "a\x85b.jpg"])
def test_unicode_line_separators_do_not_split_a_name(tmp_path: Path, name: str) -> None:
    text = json.dumps({"source": name, "faces": []}, ensure_ascii=False)
    assert list(read_lines(write(tmp_path / "p.jsonl", text))) == [name]


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    assert read_lines(write(tmp_path / "p.jsonl")) == {}


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "{",
        "[]",
        "3",
        "null",
        '{"faces": []}',
        '{"source": 3, "faces": []}',
        '{"source": "b.jpg"}',
        '{"source": "b.jpg", "faces": 5}',
        '{"source": "b.jpg", "faces": [5]}',
        '{"source": "b.jpg", "faces": [{"box": [1]}]}',
        line("b.jpg", TRUTH[:67]),
        line("b.jpg", np.zeros((68, 2))),
        line("b.jpg", TRUTH * math.nan),
        line("b.jpg", TRUTH).replace("[[", '[["x", 1], [', 1),
        "[" * 100_000,
    ],
)
def test_a_malformed_line_is_refused_with_file_and_line(tmp_path: Path, bad: str) -> None:
    path = write(tmp_path / "p.jsonl", line("a.jpg", TRUTH), bad, line("c.jpg"))
    with pytest.raises(DataError, match=r"p\.jsonl:2: ") as caught:
        read_lines(path)
    assert "\n" not in str(caught.value)


def test_two_lines_about_one_image_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "p.jsonl", line("a.jpg"), line("b.jpg"), line("a.jpg"))
    with pytest.raises(DataError, match=r"p\.jsonl:3: a second line about a\.jpg"):
        read_lines(path)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "p.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"p\.jsonl: cannot be read"):
        read_lines(path)


def test_the_nearest_face_is_the_one_that_overlaps_most() -> None:
    near, nearer = TRUTH + 30, TRUTH + 3
    for order in ([near, FAR, nearer], [nearer, FAR, near], [FAR, nearer]):
        assert nearest_face(TRUTH, order) is nearer


@pytest.mark.parametrize("found", [[], [FAR]])
def test_without_overlap_there_is_no_nearest_face(found: Sequence[FloatArray]) -> None:
    assert nearest_face(TRUTH, found) is None


def test_a_match_is_the_nearest_face_and_a_miss_is_nan() -> None:
    assert match(TRUTH, [FAR, TRUTH + 3]) == pytest.approx(TRUTH + 3)
    assert np.isnan(match(TRUTH, [FAR])).all()
    assert match(TRUTH, []).shape == (68, 2)
