import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import floats
from tests.tiny import face_points
from tracker.types import FloatArray
from train.metrics import (
    area_under_curve,
    box_size,
    cumulative_curve,
    failure_rate,
    inter_ocular,
    nme_percent,
    point_distances,
)

errors = st.lists(st.one_of(floats(0, 40), st.just(math.inf)), min_size=1, max_size=30).map(np.array)


def test_nme_by_hand() -> None:
    """All points 3 px right and 4 px down of the truth, eyes' outer corners 50 px apart: 10 %."""
    truth = np.stack([face_points(), face_points((90, 80), 200, 0.7)])
    truth *= 50 / np.linalg.norm(truth[:, 36] - truth[:, 45], axis=-1)[:, None, None]
    assert nme_percent(truth + np.array((3, 4)), truth) == pytest.approx([10, 10])


def test_nme_is_the_mean_over_points_not_over_coordinates() -> None:
    truth = face_points()[None]
    predicted = truth.copy()
    predicted[0, 8, 1] += 68
    inter_ocular = math.dist(truth[0, 36], truth[0, 45])
    assert nme_percent(predicted, truth) == pytest.approx([100 / inter_ocular])


@given(floats(0.1, 50), floats(-3, 3), floats(-500, 500))
def test_nme_is_invariant_under_similarity_transforms(scale: float, turn: float, shift: float) -> None:
    truth, predicted = face_points(), face_points((162, 121), 125, 0.05)
    cos, sin = math.cos(turn), math.sin(turn)
    moved = [scale * p @ np.array([[cos, sin], [-sin, cos]]) + shift for p in (predicted, truth)]
    assert nme_percent(moved[0][None], moved[1][None]) == pytest.approx(
        nme_percent(predicted[None], truth[None])
    )


def test_nme_divides_by_the_truth() -> None:
    truth = face_points()
    large = face_points(width=240.0)
    assert nme_percent(large[None], truth[None]) == pytest.approx(2 * nme_percent(truth[None], large[None]))


def test_failure_rate_by_hand() -> None:
    assert failure_rate(np.array([1, 9.99, 10, 10.01, math.inf])) == pytest.approx(2 / 5)
    assert failure_rate(np.array([1.0, 4.0]), threshold=3) == pytest.approx(1 / 2)


def test_area_by_hand() -> None:
    assert area_under_curve(np.array([0.0, 0.0])) == 1
    assert area_under_curve(np.array([4.0])) == pytest.approx(0.5)
    assert area_under_curve(np.array([4.0, 8.0, 100.0, math.inf])) == pytest.approx(0.5 / 4)


@given(errors)
def test_area_is_the_integral_of_the_cumulative_error_curve(nme: FloatArray) -> None:
    """Midpoint sums of the step function are off by at most one cell for each step."""
    cells = 20_000
    at = (np.arange(cells) + 0.5) * 8 / cells
    curve = np.searchsorted(np.sort(nme), at, side="right") / len(nme)
    assert area_under_curve(nme) == pytest.approx(curve.mean(), abs=1 / cells)


def test_distances_by_hand() -> None:
    truth = np.zeros((1, 2, 2))
    assert point_distances(np.array([[[3, 4], [0, -2]]]), truth) == pytest.approx(np.array([[5, 2]]))


def test_normalisers_by_hand() -> None:
    truth = np.array([[[0, 0], [30, 40], [10, 100]], [[0, 0], [0, 1], [4, 4]]], float)
    assert inter_ocular(truth, (0, 1)) == pytest.approx([50, 1])
    assert box_size(truth) == pytest.approx([math.sqrt(3000), 4])


def test_the_cumulative_curve_by_hand() -> None:
    at, share = cumulative_curve(np.array([3.0, 1.0, 9.0, math.inf]), 8.0)
    assert at.tolist() == [0, 1, 3, 8]
    assert share.tolist() == [0, 0.25, 0.5, 0.5]


@given(errors, floats(0.5, 20))
def test_the_curve_and_its_area_agree(nme: FloatArray, limit: float) -> None:
    at, share = cumulative_curve(nme, limit)
    assert (np.diff(at) >= 0).all()
    assert (np.diff(share) >= 0).all()
    area = (np.diff(at) * share[:-1]).sum()
    assert area / limit == pytest.approx(area_under_curve(nme, limit))


@given(errors)
def test_the_cumulative_curve_ends_at_the_share_that_did_not_fail(nme: FloatArray) -> None:
    assert cumulative_curve(nme, 10.0)[1][-1] == pytest.approx(1 - failure_rate(nme, 10.0))
