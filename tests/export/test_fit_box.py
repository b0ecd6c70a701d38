"""The fit recovers a known correction, even among wrong labels."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the train extra")
pytest.importorskip("tflite", reason="needs the train extra")

from export.fit_box import fit_correction, tight_box
from tests.shapes import canonical_points
from tracker.geometry import CropTransform, roll_of
from tracker.inference.detection.box_correction import RawFace
from tracker.types import FaceBox, FloatArray
from train.errors import DataError

PARTS = (range(36, 42), range(42, 48), [30], range(48, 68), [0], [16])
"""Indices of the 68 points that represent BlazeFace's six key points."""


def a_face(rng: np.random.Generator) -> tuple[RawFace, FloatArray]:
    """Return a rotated, moved, scaled and unevenly stretched shape, and key points taken from it."""
    shape = canonical_points() * rng.uniform(0.8, 1.2, 2)
    x, y, side, angle = rng.uniform((0, 0, 50, -1), (900, 900, 400, 1))
    where = CropTransform((x, y), side, angle)
    points = where.to_frame(100 * shape)
    keypoints = np.array([points[list(part)].mean(axis=0) for part in PARTS])
    return RawFace(FaceBox.around(points), keypoints), points


def test_a_known_correction_is_recovered_despite_wrong_labels() -> None:
    rng = np.random.default_rng(5)
    pairs = [a_face(rng) for _ in range(120)]
    wrong = [(face, points + 0.5 * np.ptp(points)) for face, points in (a_face(rng) for _ in range(10))]
    fit = fit_correction([*pairs, *wrong, (None, pairs[0][1])])
    assert (fit.n_faces, fit.n_missed) == (130, 1)
    for face, points in pairs:
        box, label = fit.correction.apply(face), tight_box(points)
        np.testing.assert_allclose(box.center, label.center, rtol=0, atol=0.02 * label.width)
        assert box.width == pytest.approx(label.width, rel=0.03)
        assert box.height == pytest.approx(label.height, rel=0.03)
    assert fit.center_median < 0.01


def test_the_tight_box_is_measured_in_the_upright_head() -> None:
    points = 100 * canonical_points()
    points = CropTransform((0.0, 0.0), 2.0, -roll_of(points), size=2).to_frame(points)  # eyes level
    upright = FaceBox.around(points)
    where = CropTransform((300.0, 200.0), 4.0, 0.6, size=2)
    box = tight_box(where.to_frame(points))
    assert (box.width, box.height) == pytest.approx((2 * upright.width, 2 * upright.height))
    np.testing.assert_allclose(box.center, where.to_frame(np.array(upright.center)))
    assert box.roll_rad == pytest.approx(0.6)


def test_no_detection_at_all_is_an_error() -> None:
    with pytest.raises(DataError, match="--data"):
        fit_correction([(None, canonical_points())])
