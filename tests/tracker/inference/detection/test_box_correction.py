"""Box correction: moves with the face, is symmetric, and always gives a box with an area."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faces import CONSTANT_BOX, UPRIGHT_KEYPOINTS
from tests.strategies import floats
from tracker.distribution import repair_command
from tracker.errors import WeightsError
from tracker.inference.detection.box_correction import BoxCorrection, RawFace
from tracker.inference.weights import find_model
from tracker.types import FaceBox


@given(
    roll=floats(-3, 3),
    scale=floats(0.1, 20),
    shift=st.tuples(floats(-500, 500), floats(-500, 500)),
    seed=st.integers(0, 1000),
)
def test_the_box_moves_turns_and_grows_with_the_face(
    roll: float, scale: float, shift: tuple[float, float], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    correction = BoxCorrection(rng.normal(size=(4, 13)) * 0.2 + CONSTANT_BOX.matrix)
    keypoints = UPRIGHT_KEYPOINTS + rng.normal(0, 3, (6, 2))
    turn = np.array([[math.cos(roll), -math.sin(roll)], [math.sin(roll), math.cos(roll)]])
    plain = correction.apply(RawFace(FaceBox(-50, -40, 50, 40, 0.7), keypoints))
    moved = correction.apply(RawFace(FaceBox(0, 0, 1, 1, 0.7), scale * keypoints @ turn.T + shift))
    np.testing.assert_allclose(moved.center, scale * turn @ plain.center + shift, rtol=0, atol=1e-8)
    np.testing.assert_allclose([moved.width, moved.height], [scale * plain.width, scale * plain.height])
    assert math.remainder(moved.roll_rad - plain.roll_rad - roll, math.tau) == pytest.approx(0, abs=1e-9)
    assert moved.score == 0.7


@given(roll=floats(-3, 3), yaw=floats(-1.57, 1.57))
def test_the_roll_of_a_head_is_that_of_its_face_also_in_profile(roll: float, yaw: float) -> None:
    """Only across is a turned head narrower: its eyes coincide in profile."""
    turn = np.array([[math.cos(roll), -math.sin(roll)], [math.sin(roll), math.cos(roll)]])
    face = RawFace(FaceBox(0, 0, 1, 1), UPRIGHT_KEYPOINTS * (math.cos(yaw), 1) @ turn.T)
    assert math.remainder(face.roll_rad - roll, math.tau) == pytest.approx(0, abs=1e-9)
    mirrored = face.keypoints_frame[[1, 0, 2, 3, 5, 4]] * (-1, 1)
    assert RawFace(FaceBox(0, 0, 1, 1), mirrored).roll_rad == pytest.approx(-face.roll_rad, abs=1e-9)


def test_the_shipped_correction_is_symmetric_and_plausible() -> None:
    correction = BoxCorrection.from_meta(find_model("blazeface-short", "detector").meta)
    keypoints = UPRIGHT_KEYPOINTS + np.random.default_rng(1).normal(0, 4, (6, 2))
    keypoints[1, 1] = keypoints[0, 1]  # eyes level: the mirror image is then exact
    mirrored = keypoints[[1, 0, 2, 3, 5, 4]] * (-1, 1)
    one, two = (correction.apply(RawFace(FaceBox(0, 0, 1, 1), k)) for k in (keypoints, mirrored))
    # The matrix is rounded to 1e-4, and the face is 100 pixels wide.
    np.testing.assert_allclose((-two.x1, two.y0, -two.x0, two.y1), one.xyxy, rtol=0, atol=0.1)
    face = correction.apply(RawFace(FaceBox(0, 0, 1, 1), UPRIGHT_KEYPOINTS))
    assert 80 < face.width < 120  # ear to ear 84
    assert 70 < face.height < 110
    assert face.center[0] == pytest.approx(0, abs=0.1)


def test_a_box_always_has_an_area() -> None:
    inside_out = BoxCorrection(-CONSTANT_BOX.matrix)
    box = inside_out.apply(RawFace(FaceBox(0, 0, 1, 1), UPRIGHT_KEYPOINTS))
    assert min(box.width, box.height) > 20


@pytest.mark.parametrize("matrix", [np.zeros((4, 12)), np.full((4, 13), math.nan), np.zeros(13)])
def test_matrices_of_another_shape_or_not_finite_are_refused(matrix: npt.NDArray[Any]) -> None:
    with pytest.raises(ValueError, match="box correction"):
        BoxCorrection(matrix)


@pytest.mark.parametrize(
    "entry", [{}, {"box_correction": None}, {"box_correction": [[1, 2], [3]]}, {"box_correction": "x"}]
)
def test_unusable_manifest_entries_are_refused(entry: dict[str, Any]) -> None:
    with pytest.raises(WeightsError, match=r"cannot be used \(.*\): " + re.escape(repair_command())):
        BoxCorrection.from_meta(entry)


def test_a_raw_face_needs_six_distinct_key_points() -> None:
    with pytest.raises(ValueError, match=r"\(6, 2\)"):
        RawFace(FaceBox(0, 0, 1, 1), np.zeros((5, 2)))
    for bad in (np.ones((6, 2)), np.full((6, 2), math.nan)):
        with pytest.raises(ValueError, match="key points"):
            RawFace(FaceBox(0, 0, 1, 1), bad)
