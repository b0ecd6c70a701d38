"""Detectors of one's own: descriptions, geometry of boxes, and models that do not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.own_models import write_box_detector
from tracker.errors import WeightsError
from tracker.inference.detection.own_detector import (
    BoxesOutput,
    DetectorDescription,
    OwnDetector,
    ScoresOutput,
    read_description,
    without_overlaps,
)
from tracker.inference.graph import Graph, Tensor
from tracker.inference.opening import open_detector
from tracker.inference.picture_input import PictureInput
from tracker.types import FaceBox, FloatArray, Frame

SIZE = (128, 96)
PICTURE = PictureInput(SIZE)
GRAPH = Graph(
    (Tensor("image", "float32", (1, 3, 96, 128)),),
    (Tensor("boxes", "float32", (1, None, 4)), Tensor("scores", "float32", (1, None, 2))),
    {},
    "0" * 64,
    1,
)
DESCRIPTION = DetectorDescription(
    PICTURE, BoxesOutput("boxes"), ScoresOutput("scores", column=1), 0.5, 0.4, "0" * 64
)


class Fixed:
    """Session that returns the same outputs, and keeps what it is given."""

    provider = "fixed"
    prepares_each_shape = False

    def __init__(self, *outputs: Any) -> None:
        self.outputs = [np.array(output, np.float32) for output in outputs]
        self.batches: list[npt.NDArray[Any]] = []

    def run(self, batch: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        self.batches.append(batch)
        return self.outputs


def detector(rows: Any, levels: Any, /, **changes: Any) -> tuple[OwnDetector, Fixed]:
    session = Fixed(rows, levels)
    return OwnDetector(session, GRAPH, replace(DESCRIPTION, **changes), "detector a.onnx"), session


def corners(box: FaceBox) -> FloatArray:
    return np.array(box.xyxy)


BOXES, SCORES = [[[32, 24, 64, 72], [0, 0, 10, 10]]], [[[0.1, 0.9], [0.9, 0.2]]]


def test_boxes_come_back_in_pixels_of_the_picture() -> None:
    own, session = detector(BOXES, SCORES)
    picture = np.zeros((480, 640, 3), np.uint8)
    picture[:, :320] = (10, 20, 30)
    (box,) = own.detect(Frame(picture))
    # An edge at 32 of 128 pixels is that at 160 of 640, and (0, 0) is the centre of the first pixel.
    assert np.allclose(corners(box), np.array([160, 120, 320, 360]) - 0.5, atol=1e-9)
    assert box.score == pytest.approx(0.9)
    shown = session.batches[-1]
    assert shown.shape == (1, 3, 96, 128)
    assert shown.dtype == np.float32
    assert shown[0, :, 40, 20].tolist() == [30, 20, 10]  # RGB
    assert shown[0, :, 40, 100].tolist() == [0, 0, 0]


@pytest.mark.parametrize("hw", [(480, 640), (500, 300), (33, 77), (97, 128), (1080, 1920), (4, 3000)])
@pytest.mark.parametrize("aspect", [1.0, 1.5])
def test_a_spot_is_where_its_box_says(hw: tuple[int, int], aspect: float) -> None:
    """The network's input shows a picture's edge at the place that the box of that edge is mapped from."""
    session = Fixed([[[0, 0, 1, 1]]], [[[0, 1]]])
    blank = OwnDetector(session, GRAPH, DESCRIPTION, "a")
    picture = np.full((*hw, 3), 255, np.uint8)
    blank.detect(Frame(picture, pixel_aspect=aspect))
    shown = session.batches[-1][0, 0]
    lit = shown > 0
    columns, rows = int(lit.any(axis=0).sum()), int(lit.any(axis=1).sum())
    assert max(columns / 128, rows / 96) == 1
    own, _ = detector([[[0, 0, columns, rows]]], [[[0, 1]]])
    (box,) = own.detect(Frame(picture, pixel_aspect=aspect))
    square_h, square_w = hw[0], round(hw[1] * aspect)
    assert np.allclose(corners(box), [-0.5, -0.5, square_w - 0.5, square_h - 0.5], atol=1e-9)


@pytest.mark.parametrize(
    ("form", "numbers"),
    [("x0y0x1y1", [32, 24, 64, 72]), ("xywh", [32, 24, 32, 48]), ("cxcywh", [48, 48, 32, 48])],
)
@pytest.mark.parametrize("units", ["pixels", "0..1"])
@pytest.mark.parametrize("transposed", [False, True])
def test_each_form_of_a_box_means_the_same(
    form: str, numbers: list[float], units: str, transposed: bool
) -> None:
    values = np.array(numbers, np.float64) / (1 if units == "pixels" else np.array(SIZE * 2))
    table = np.concatenate([[[7, 7]], values[None]], axis=1)  # two more columns in front
    boxes = BoxesOutput(None, form, units, (2, 3, 4, 5), transposed)
    own, _ = detector((table.T if transposed else table)[None], [[0.1, 0.9]], boxes=boxes)
    (box,) = own.detect(Frame(np.zeros((96, 128, 3), np.uint8)))
    assert np.allclose(corners(box), np.array([32, 24, 64, 72]) - 0.5, atol=1e-5)


def test_boxes_are_grown_and_moved() -> None:
    boxes = BoxesOutput(None, scale=0.5, shift=(0.25, -0.5))
    own, _ = detector([[[20, 20, 40, 60]]], [[[0, 1]]], boxes=boxes)
    (box,) = own.detect(Frame(np.zeros((96, 128, 3), np.uint8)))
    assert np.allclose(corners(box) + 0.5, [35, 10, 45, 30])


def test_log_odds_and_thresholds() -> None:
    scores = ScoresOutput("scores", column=1, logit=True)
    own, _ = detector([[[0, 0, 9, 9], [50, 50, 60, 60]]], [[[0, 2.0], [0, -0.1]]], scores=scores)
    (box,) = own.detect(Frame(np.zeros((96, 128, 3), np.uint8)))
    assert box.score == pytest.approx(1 / (1 + np.exp(-2)), rel=1e-6)


def test_boxes_that_overlap_a_better_one_are_dropped_best_first() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60], [4, 0, 14, 10]], np.float64)
    scores = np.array([0.8, 0.9, 0.95, 0.7])
    # IoU of 0 with 1 is 9 / 11, of 3 with 1 7 / 13, above 0.5; of 3 with 0 6 / 14.
    assert without_overlaps(boxes, scores, 0.5) == [2, 1]
    assert without_overlaps(boxes, scores, 0.6) == [2, 1, 3]
    assert without_overlaps(boxes[:0], scores[:0], 0.5) == []


def test_boxes_without_area_are_left_out() -> None:
    own, _ = detector([[[5, 5, 5, 9], [9, 9, 5, 5], [0, 0, 8, 8]]], [[[0, 1], [0, 1], [0, 1]]])
    assert len(own.detect(Frame(np.zeros((96, 128, 3), np.uint8)))) == 1


def test_a_picture_without_faces_has_no_boxes() -> None:
    own, _ = detector([[[0, 0, 8, 8]]], [[[1, 0]]])
    assert own.detect(Frame(np.zeros((96, 128, 3), np.uint8))) == []
    own, _ = detector(np.zeros((1, 0, 4)), np.zeros((1, 0, 2)))
    assert own.detect(Frame(np.zeros((96, 128, 3), np.uint8))) == []
    assert len(own.views((96, 128))) == 1


@pytest.mark.parametrize(
    ("boxes", "scores", "reason"),
    [
        ([[[0, 0, np.nan, 8]]], [[[0, 1]]], "boxes that are not finite"),
        ([[[0, 0, 8, 8]]], [[[0, 7]]], "scores that are no probabilities"),
        ([[[0, 0, 8, 8]]], [[[0, np.nan]]], "scores that are no probabilities"),
        ([[[0, 0, 8, 8]]], [[[0, 1], [0, 1]]], "1 boxes and 2 scores"),
        ([[[0, 0, 8]]], [[[0, 1]]], r"shape \(1, 1, 3\) has no rows with a column 3"),
        ([[[0, 0, 8, 8]]], [[[1]]], "no rows with a column 1"),
        ([[[0, 0, 8, 8]]] * 2, [[[0, 1]]], r"shape \(2, 1, 4\)"),
    ],
)
def test_impossible_outputs_are_refused_when_it_opens(boxes: Any, scores: Any, reason: str) -> None:
    with pytest.raises(WeightsError, match=f"^detector a.onnx.*{reason}"):
        detector(boxes, scores)


TOML = """
[detector]
threshold = 0.6
nms = 0.3
[detector.input]
size = [128, 96]
colours = "BGR"
layout = "NHWC"
range = [-1, 1]
[detector.boxes]
output = "boxes"
form = "cxcywh"
units = "0..1"
scale = 1.2
shift = [0, 0.1]
[detector.scores]
output = "scores"
column = 1
logit = true
"""


def test_a_description_is_read(tmp_path: Path) -> None:
    (tmp_path / "net.toml").write_text(TOML, encoding="utf-8")
    described = read_description(tmp_path / "net.onnx")
    assert described.picture == PictureInput((128, 96), "BGR", "NHWC", (-1.0, 1.0))
    assert described.boxes == BoxesOutput("boxes", "cxcywh", "0..1", scale=1.2, shift=(0.0, 0.1))
    assert described.scores == ScoresOutput("scores", 1, False, True)
    assert (described.threshold, described.nms) == (0.6, 0.3)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("[detector]", "[detektor]", "has no field 'detektor': did you mean detector"),
        ("threshold = 0.6", "threshold = 6", "threshold must be a number in 0..1, got 6"),
        ("size = [128, 96]", "size = 128", r"size must be \[width, height\] in pixels, got 128"),
        ("size = [128, 96]", "size = [1, 96]", "size must lie in 8..4096"),
        ('form = "cxcywh"', 'form = "yxyx"', "form must be one of x0y0x1y1"),
        ("column = 1", "column = -1", "column must be a whole number"),
        ("scale = 1.2", "scale = 0", "scale must be a number above 0"),
        ("shift = [0, 0.1]", "shift = 1", "shift must be two numbers"),
        ("range = [-1, 1]", "range = [1, 1]", "values of black and of white"),
        ("range = [-1, 1]", "mean = [1, 1]", "one number, or one for each of 3 channels"),
        ("range = [-1, 1]", "std = [0]", "std must be a list of numbers above 0"),
        ("logit = true", "logit = 1", "logit must be true or false"),
        ("[detector.scores]", "[detector.other]", "needs tables input and scores"),
        (TOML, "", r"needs a table \[detector\]"),
    ],
)
def test_a_wrong_description_is_refused_in_one_line(tmp_path: Path, old: str, new: str, reason: str) -> None:
    assert old in TOML
    (tmp_path / "net.toml").write_text(TOML.replace(old, new), encoding="utf-8")
    with pytest.raises(WeightsError, match=reason) as caught:
        read_description(tmp_path / "net.onnx")
    assert str(tmp_path / "net.toml") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_detector_without_a_description_says_so(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"net\.onnx needs .*net\.toml, which tells what its inputs"):
        read_description(tmp_path / "net.onnx")


def test_a_detector_opens_by_its_path(tmp_path: Path) -> None:
    path = write_box_detector(tmp_path / "net.onnx", (32, 24, 64, 72))
    (box,) = open_detector(str(path), threads=1).detect(Frame(np.zeros((96, 128, 3), np.uint8)))
    assert corners(box).tolist() == [31.5, 23.5, 63.5, 71.5]
    assert box.score == 0.75
    toml = path.with_suffix(".toml")
    toml.write_text(toml.read_text(encoding="utf-8").replace("128, 96", "96, 128"), encoding="utf-8")
    with pytest.raises(WeightsError, match=r"input image float32 \(1, 3, 96, 128\) is not \(N, 3, 128, 96\)"):
        open_detector(str(path), threads=1)
    with pytest.raises(WeightsError, match="unknown detector 'yolo': choose blazeface, mediapipe, none, or"):
        open_detector("yolo")
