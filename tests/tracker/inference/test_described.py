"""Landmark models of another origin: parity with hand-computed points, and models that do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from tests.faces import astronaut
from tests.own_models import write_2d106det
from tracker.errors import WeightsError
from tracker.geometry import CropTransform
from tracker.inference.described import CheckedLandmarker, DescribedLandmarker
from tracker.inference.description import Description, PointsOutput, Presence
from tracker.inference.graph import Graph, Tensor
from tracker.inference.landmark_models import find_landmark_model
from tracker.inference.landmarker import FakeLandmarker
from tracker.inference.opening import open_blazeface, open_landmarker
from tracker.inference.picture_input import PictureInput
from tracker.scheme.value import Scheme
from tracker.types import FloatArray, Frame, ImageArray

SIX = Scheme("six", 6)
PLACES = np.random.default_rng(6).uniform(20, 170, (6, 2))
"""Places of six points in an input of 192 pixels."""


def crops(count: int = 2) -> ImageArray:
    small = np.random.default_rng(count).integers(0, 256, (count, 28, 28), np.uint8)
    return np.stack([cv2.resize(one, (224, 224), interpolation=cv2.INTER_CUBIC) for one in small])


class Answering:
    """Session that gives ``output`` for each picture, and keeps what it is given."""

    provider = "answering"
    prepares_each_shape = False

    def __init__(self, *outputs: npt.NDArray[Any]) -> None:
        self.outputs = outputs
        self.batches: list[npt.NDArray[Any]] = []

    def run(self, batch: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        self.batches.append(batch)
        return [np.repeat(output[None], len(batch), axis=0) for output in self.outputs]


def graph(batch: int | None = None, side: int = 192, kind: str = "float32", channels: int = 3) -> Graph:
    image = Tensor("data", kind, (batch, channels, side, side))
    outputs = (Tensor("fc1", "float32", ()), Tensor("score", "float16", ()), Tensor("count", "int64", ()))
    return Graph((image,), outputs, {}, "0" * 64, 1)


def landmarker(
    session: Answering, points: PointsOutput, presence: Presence | None = None, batch: int | None = None
) -> DescribedLandmarker:
    description = Description(PictureInput((192, 192)), points, presence)
    return DescribedLandmarker(session, graph(batch), description, SIX, "model a.onnx")


EXPECTED = (PLACES + 0.5) * 224 / 192 - 0.5


@pytest.mark.parametrize(
    ("points", "output"),
    [
        (PointsOutput(), PLACES),
        (PointsOutput("fc1", "xy"), PLACES.ravel()),
        (PointsOutput(layout="xxyy"), PLACES.T),
        (PointsOutput(layout="xxyy"), PLACES.T.ravel()),
        (PointsOutput(layout="xyz"), np.column_stack([PLACES, np.full(6, 7.0)])),
        (PointsOutput(units="0..1"), PLACES / 192),
        (PointsOutput(units="-1..1"), PLACES / 96 - 1),
        (PointsOutput(pixel_centre=0.5), PLACES + 0.5),
        (PointsOutput(layout="xxyy", units="-1..1", pixel_centre=0.5), ((PLACES + 0.5) / 96 - 1).T.ravel()),
    ],
)
@pytest.mark.parametrize("batch", [None, 1])
def test_each_layout_of_the_points_means_the_same(
    points: PointsOutput, output: FloatArray, batch: int | None
) -> None:
    session = Answering(output.astype(np.float64))
    located = landmarker(session, points, batch=batch).locate(crops(3))
    assert np.allclose(located.points_crop, np.repeat(EXPECTED[None], 3, axis=0), atol=1e-9)
    assert located.presence.tolist() == [1.0] * 3
    assert located.quality is None
    assert {len(seen) for seen in session.batches[1:]} == ({1} if batch else {3})


def test_presence_is_read_as_a_probability_or_as_log_odds() -> None:
    output = PLACES.ravel()
    for value, logit, expected in [(0.25, False, 0.25), (0.0, True, 0.5), (1e4, True, 1.0)]:
        session = Answering(output, np.array([value]))
        (presence,) = landmarker(session, PointsOutput(), Presence("score", logit)).locate(crops(1))[1]
        assert presence == pytest.approx(expected, abs=1e-12)


def test_heatmaps_are_read_to_a_quarter_of_a_cell() -> None:
    maps = np.zeros((6, 48, 48))
    cells = [(5, 7), (0, 0), (47, 47), (20, 47), (0, 30), (13, 13)]
    for one, (x, y) in zip(maps, cells, strict=True):
        one[y, x] = 1.0
    maps[0, 7, 6] = 0.5  # larger to the right
    maps[0, 6, 5] = 0.5  # and above
    maps[5, 13, 12] = 0.5  # and to the left
    located = landmarker(Answering(maps), PointsOutput(layout="heatmaps")).locate(crops(1))
    # A cell is 224 / 48 crop pixels wide; nothing moves at a border.
    moved = np.array(cells, np.float64)
    moved[0] += (0.25, -0.25)
    moved[5] += (-0.25, 0)
    assert np.allclose(located.points_crop[0], (moved + 0.5) * 224 / 48 - 0.5, atol=1e-9)


@pytest.mark.parametrize(
    ("output", "points", "reason"),
    [
        (np.zeros(10), PointsOutput(), r"shape \(1, 10\); six \(6 points\) need \(N, 6, 2\) or \(N, 12\)"),
        (np.zeros((6, 3)), PointsOutput(), r"shape \(1, 6, 3\)"),
        (np.zeros((6, 2)), PointsOutput(layout="xyz"), r"need \(N, 6, 3\) or \(N, 18\)"),
        (np.zeros((5, 8, 8)), PointsOutput(layout="heatmaps"), r"need heatmaps \(N, 6, H, W\)"),
        (np.zeros(12), PointsOutput("score2"), "has no output score2: it has fc1"),
        (np.zeros(12), PointsOutput("count"), "output count int64 .*must be float32 or float16"),
    ],
)
def test_outputs_that_do_not_fit_are_refused_when_it_opens(
    output: FloatArray, points: PointsOutput, reason: str
) -> None:
    with pytest.raises(WeightsError, match=f"^model a.onnx.*{reason}"):
        landmarker(Answering(output), points)


@pytest.mark.parametrize(
    ("taken", "picture", "reason"),
    [
        (graph(side=128), PictureInput((192, 192)), r"\(N, 3, 128, 128\) is not \(N, 3, 192, 192\)"),
        (graph(channels=1), PictureInput((192, 192)), r"is not \(N, 3, 192, 192\)"),
        (graph(), PictureInput((192, 192), "grey"), r"is not \(N, 1, 192, 192\)"),
        (graph(), PictureInput((192, 192), layout="NHWC"), r"is not \(N, 192, 192, 3\)"),
        (graph(batch=4), PictureInput((192, 192)), "takes 4 pictures"),
        (graph(kind="int32"), PictureInput((192, 192)), "must be uint8, float32 or float16"),
        (graph(kind="uint8"), PictureInput((192, 192), std=(2.0,)), "leave out range, mean and std"),
    ],
)
def test_an_input_that_does_not_fit_is_refused(taken: Graph, picture: PictureInput, reason: str) -> None:
    with pytest.raises(WeightsError, match=f"^model a.onnx.*{reason}"):
        DescribedLandmarker(Answering(PLACES), taken, Description(picture), SIX, "model a.onnx")


def test_each_input_holds_the_described_levels_colours_and_layout() -> None:
    grey = np.array([[[0, 51], [102, 255]]], np.uint8)
    grey = np.repeat(np.repeat(grey, 4, axis=1), 4, axis=2)
    three = PictureInput((8, 8), "RGB", "NHWC", (0.0, 1.0), (0.5, 0.25, 0.0), (0.5, 1.0, 2.0))
    batch = three.batch(grey, "float32")
    assert batch.shape == (1, 8, 8, 3)
    assert np.allclose(batch[0, 0, 7], [(0.2 - 0.5) / 0.5, 0.2 - 0.25, 0.1], atol=1e-6)
    assert batch.dtype == np.float32
    plain = PictureInput((8, 8), "grey")
    assert np.array_equal(plain.batch(grey, "uint8"), grey[:, None])
    assert plain.batch(grey, "float16").dtype == np.float16
    colours = np.zeros((1, 8, 8, 3), np.uint8)
    colours[..., 0], colours[..., 2] = 10, 30  # blue and red
    assert PictureInput((8, 8), "RGB").batch(colours, "float32")[0, :, 0, 0].tolist() == [30, 0, 10]
    assert PictureInput((8, 8), "BGR").batch(colours, "uint8")[0, :, 0, 0].tolist() == [10, 0, 30]
    assert plain.batch(colours, "uint8")[0, 0, 0, 0] == cv2.cvtColor(colours[0], cv2.COLOR_BGR2GRAY)[0, 0]


def test_crops_are_resampled_on_pixel_centres() -> None:
    """A ramp stays the ramp that the map of the points says."""
    ramp = np.repeat(np.arange(224, dtype=np.uint8)[None, None], 224, axis=1)
    session = Answering(PLACES)
    landmarker(session, PointsOutput()).locate(ramp)
    seen = session.batches[-1][0, 0, 100]
    x = (np.arange(192) + 0.5) * 224 / 192 - 0.5
    assert np.abs(seen - x)[1:-1].max() <= 0.5 + 1 / 8  # whole levels, and 5 bits of weights


INSIGHTFACE = """
[scheme]
name = "insightface106"
n_points = 106
[model]
licence = "research only"
[model.input]
size = 192
colours = "RGB"
[model.points]
output = "fc1"
units = "-1..1"
"""


def test_a_model_of_insightface_gives_the_points_that_its_own_code_does(tmp_path: Path) -> None:
    values = np.random.default_rng(106).uniform(-0.8, 0.8, (106, 2))
    path = write_2d106det(tmp_path / "2d106det.onnx", values)
    path.with_suffix(".toml").write_text(INSIGHTFACE, encoding="utf-8")
    opened = open_landmarker(str(path), "cpu", threads=1)
    assert opened.landmarker.scheme.n_points == 106
    given = crops(2)
    located = opened.landmarker.locate(given)
    for crop, points in zip(given, located.points_crop, strict=True):
        # Its code: (pred + 1) * (192 // 2), then back by the affine map of the crop, here pixel centres.
        pred = values + cv2.resize(crop, (192, 192)).mean() / 2550
        in_input = (pred + 1) * 96
        assert np.allclose(points, (in_input + 0.5) * 224 / 192 - 0.5, atol=1e-3)
    assert (opened.file.name, opened.file.licence) == ("2d106det", "research only")


def test_a_shipped_model_tells_the_presence_of_a_face(tmp_path: Path) -> None:
    path = write_2d106det(tmp_path / "net.onnx", np.zeros((106, 2)))
    presence = '\n[model.presence]\nmodel = "unet-light"\n'
    path.with_suffix(".toml").write_text(INSIGHTFACE + presence, encoding="utf-8")
    landmarker = open_landmarker(str(path), "cpu", threads=1).landmarker
    image = astronaut()
    box, *_ = open_blazeface(threads=1).detect(Frame(image))
    face, background = CropTransform.from_box(box), CropTransform((320, 330), 200)
    shown = np.stack([face.cut(image), background.cut(image)])
    located = landmarker.locate(shown)
    shipped = open_landmarker("unet-light", "cpu", threads=1).landmarker.locate(shown)
    assert np.array_equal(located.presence, shipped.presence)
    assert (located.presence > 0.9).tolist() == [True, False]
    assert located.points_crop.shape == (2, 106, 2)
    assert len(find_landmark_model(str(path)).hashes) == 3


def test_answers_that_cannot_be_are_refused_in_one_line() -> None:
    good = np.full((6, 2), 100.0)
    crop = np.zeros((2, 224, 224), np.uint8)
    fake = FakeLandmarker(good, 0.5, np.full(6, 0.5), SIX)
    checked = CheckedLandmarker(fake, "model a.onnx")
    assert checked.scheme is SIX
    assert np.array_equal(checked.locate(crop).points_crop, fake.locate(crop).points_crop)
    for points, presence, quality, reason in [
        (np.full((6, 2), np.nan), 0.5, None, "points that are not finite"),
        (np.full((6, 2), 1e9), 0.5, None, "or far outside of its crop"),
        (good, 3.0, None, "a presence of 3, which is no probability: log-odds are"),
        (good, -0.5, None, "a presence of -0.5"),
        (good, float("nan"), None, "a presence of nan"),
        (good, 0.5, np.full(6, 1.5), "a quality of 1.5"),
        (good[:5], 0.5, None, r"outputs of the shapes \[\(2, 5, 2\), \(2,\)\] for 2 crops"),
    ]:
        with pytest.raises(WeightsError, match=reason):
            CheckedLandmarker(FakeLandmarker(points, presence, quality, SIX), "model a.onnx").locate(crop)


def test_rounding_of_a_probability_is_cut_off() -> None:
    fake = FakeLandmarker(np.full((6, 2), 1.0), 1.0005, np.full(6, -0.0005), SIX)
    located = CheckedLandmarker(fake, "a").locate(np.zeros((1, 224, 224), np.uint8))
    assert located.presence.tolist() == [1.0]
    assert located.quality is not None
    assert located.quality.min() == 0.0
