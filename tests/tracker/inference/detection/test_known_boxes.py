"""Boxes of a file: both formats, what is refused and where, and the pixels they are in."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile import damaged
from tests.results import faces_in_a_row
from tracker.drawing.anonymise import Anonymiser
from tracker.errors import MisuseError, SourceError
from tracker.inference.detection import known_boxes
from tracker.inference.detection.known_boxes import KnownBoxes, read_boxes
from tracker.types import FaceBox, Frame

PICTURE = np.zeros((40, 60, 3), np.uint8)


def read(folder: Path, text: str) -> KnownBoxes:
    (path := folder / "boxes.txt").write_text(text, encoding="utf-8")
    return read_boxes(path)


IMAGES_CSV = "image,x0,y0,x1,y1\na.jpg,1,2,30,40.5\na.jpg,5,5,6,6\nsub/b c.jpg,-3,0,9,9\n"
IMAGES_JSON = "\n".join(
    json.dumps(dict(zip(("image", "x0", "y0", "x1", "y1"), row, strict=True)))
    for row in [("a.jpg", 1, 2, 30, 40.5), ("a.jpg", 5, 5, 6, 6), ("sub/b c.jpg", -3, 0, 9, 9)]
)


@pytest.mark.parametrize("text", [IMAGES_CSV, IMAGES_JSON, f"\ufeff{IMAGES_CSV}", f"\n{IMAGES_JSON}\n\n"])
def test_boxes_of_pictures_go_by_file_name(tmp_path: Path, text: str) -> None:
    boxes = read(tmp_path, text)
    assert boxes.are_of_images
    assert boxes.detect(Frame(PICTURE, 3, source="a.jpg")) == [
        FaceBox(1, 2, 30, 40.5),
        FaceBox(5, 5, 6, 6),
    ]
    assert boxes.detect(Frame(PICTURE, source="b c.jpg")) == [FaceBox(-3, 0, 9, 9)]
    assert boxes.detect(Frame(PICTURE, source="c.jpg")) == []
    with pytest.raises(MisuseError, match="this picture has none"):
        boxes.detect(Frame(PICTURE))


@pytest.mark.parametrize(
    "text",
    [
        "frame,score,x0,y0,x1,y1\n7,0.5,1,2,3,4\n",
        '{"frame": 7, "x0": 1, "y0": 2, "x1": 3, "y1": 4, "score": 0.5}',
    ],
)
def test_boxes_of_a_video_go_by_frame(tmp_path: Path, text: str) -> None:
    boxes = read(tmp_path, text)
    assert not boxes.are_of_images
    assert boxes.detect(Frame(PICTURE, 7, source="a.mp4")) == [FaceBox(1, 2, 3, 4, 0.5)]
    assert boxes.detect(Frame(PICTURE, 6, source="a.mp4")) == []


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["\u2028", "\x85", "\x0b"])
def test_only_newlines_end_lines(tmp_path: Path, end: str, mark: str) -> None:
    name = f"a{mark}b.jpg"
    text = f"image,x0,y0,x1,y1{end}{name}, 1,2.5,3e1,40{end}"
    (path := tmp_path / "boxes.csv").write_bytes(text.encode())
    assert read_boxes(path).boxes == {name: [FaceBox(1, 2.5, 30, 40)]}


def test_boxes_are_turned_into_square_pixels(tmp_path: Path) -> None:
    boxes = read(tmp_path, "frame,x0,y0,x1,y1\n0,-0.5,-0.5,9.5,19.5\n")
    (box,) = boxes.detect(Frame(PICTURE, pixel_aspect=2.0))
    assert box == FaceBox(-0.5, -0.5, 19.5, 19.5)  # the outer corner stays in place


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("frame,x0,y0,x1,y1\n0,1,2,3\n", "line 2: 4 cells, and the header has 5"),
        ("frame,x0,y0,x1,y1\n0,1,2,3,4\n1,5,2,3,4\n", "line 3: a face box needs x1 > x0"),
        ("frame,x0,y0,x1,y1\n\n0,1,2,nan,4\n", "line 3: x1 must be a number, got 'nan'"),
        ("frame,x0,y0,x1,y1\n0,1,2,1_000,4\n", "line 2: x1 must be a number, got '1_000'"),
        ("frame,x0,y0,x1,y1\n0,1,2,\u0663,4\n", "line 2: x1 must be a number, got '\u0663'"),
        ("frame,x0,y0,x1,y1\n0,1,2,infinity,4\n", "line 2: x1 must be a number, got 'infinity'"),
        ("frame,x0,y0,x1,y1\n1_0,1,2,3,4\n", "line 2: frame must be a whole number from 0 on, got '1_0'"),
        ('{"frame": 1, "x0": 1, "y0": 2, "x1": NaN, "y1": 4}', "line 1: x1 must be a number, got nan"),
        ("frame,x0,y0,x1,y1\n0,1,2,3,4\u20281,1,2,3,4\n", "line 2: 9 cells"),
        ("frame,x0,y0,x1,y1\n0,1,2,,4\n", "line 2: x1 must be a number, got ''"),
        ("frame,x0,y0,x1,y1\n1.5,1,2,3,4\n", "line 2: frame must be a whole number from 0 on, got 1.5"),
        ("frame,x0,y0,x1,y1\n-1,1,2,3,4\n", "line 2: frame must be a whole number"),
        ("frame,x0,y0,x1,y1,score\n1,1,2,3,4,7\n", "line 2: score must lie in 0..1"),
        ("frame,x0,y0,width,height\n", "line 1: a box has image or frame"),
        ("frame,x0,y0,x1,y1,name\n", "an unknown 'name'"),
        (
            "0,1,2,3,4\n",
            "line 1: it has neither image nor frame: begin the file with a line such as image,x0",
        ),
        ("image;x0;y0;x1;y1\n", "line 1: it has neither image nor frame: begin the file with a line such as"),
        ('{"x0": 1, "y0": 2, "x1": 3, "y1": 4}', "line 1: it has neither image nor frame"),
        ("image,frame,x0,y0,x1,y1\n", "line 1: a box has an image or a frame, and not both"),
        ("image,x0,y0,x1,y1\n,1,2,3,4\n", "line 2: image must be the name of a file, got ''"),
        ("image,x0,y0,x1,y1\na/b.jpg,1,2,3,4\nc/b.jpg,1,2,3,4\n", "line 3: 'c/b.jpg' and 'a/b.jpg' have the"),
        ('{"image": "a.jpg", "x0": 1, "y0": 2, "x1": "3", "y1": 4}', "line 1: x1 must be a number, got '3'"),
        ('{"image": 3, "x0": 1, "y0": 2, "x1": 3, "y1": 4}', "line 1: image must be the name"),
        ('{"image": "a.jpg", "x0": 1, "y0": 2, "x1": 1e99, "y1": 4}', "x1 must be a number"),
        ('{"frame": true, "x0": 1, "y0": 2, "x1": 3, "y1": 4}', "frame must be a whole number"),
        (
            '{"frame": 1, "x0": 1, "y0": 2, "x1": 3, "y1": 4}\n{"image": "a"}',
            "line 2: a box has image or frame",
        ),
        (
            '{"frame": 1, "x0": 1, "y0": 2, "x1": 3, "y1": 4}\n'
            '{"image": "a", "x0": 1, "y0": 2, "x1": 3, "y1": 4}',
            "line 2: it has image, and the lines before have frame",
        ),
        ('{"frame": 1', "line 1: no JSON"),
        ('{"frame": 1, "x0": 1, "y0": 2, "x1": 3, "y1": 4}\n[]', "line 2: not an object"),
        ("", "are none: write lines such as image,x0,y0,x1,y1"),
        ("frame,x0,y0,x1,y1\n", "are none"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, text: str, line: str) -> None:
    with pytest.raises(SourceError) as caught:
        read(tmp_path, text)
    assert line in str(caught.value)
    assert "boxes.txt" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_text_or_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path := tmp_path / "boxes.csv").write_bytes(b"frame\xff\xfe")
    with pytest.raises(SourceError, match=r"boxes\.csv cannot be read: the file is no text in UTF-8"):
        read_boxes(path)
    with pytest.raises(SourceError, match="No such file"):
        read_boxes(tmp_path / "none.csv")
    monkeypatch.setattr(known_boxes, "MOST_BYTES", 3)
    with pytest.raises(SourceError, match="divide the file"):
        read_boxes(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from([IMAGES_CSV, IMAGES_JSON]).flatmap(lambda text: damaged(text.encode())))
def test_a_damaged_file_is_read_or_refused_in_one_line(tmp_path: Path, data: bytes) -> None:
    (path := tmp_path / "boxes.csv").write_bytes(data)
    line = ""
    try:
        read_boxes(path)
    except SourceError as error:
        line = str(error)
    assert "\n" not in line


def test_boxes_take_the_place_of_any_detector(tmp_path: Path) -> None:
    boxes = read(tmp_path, IMAGES_CSV)
    frame = Frame(np.full((40, 60, 3), 200, np.uint8), source="a.jpg")
    hidden = Anonymiser("solid", boxes).hide_alone(frame, faces_in_a_row(0)).image_bgr
    assert (hidden[20, 15] != 200).any()
    assert (hidden[:, 58] == 200).all()
    (view,) = boxes.views((40, 60))
    assert view.center == (30, 20)
