import math
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from tracker.types import FloatArray

pytest.importorskip("torch")


import numpy.typing as npt
import torch

from tests.strategies import floats
from tests.tiny import write_300w
from train.errors import RunError
from train.models.heatmap import HeatmapCodec
from train.models.quality import (
    GOOD_PERCENT,
    Calibration,
    calibration_error,
    error_in_worst,
    reliability,
    spread,
)

logs = floats(math.log(1e-3), math.log(0.3))


@pytest.mark.parametrize("sigma", [0.8, 1.5, 3.0])
def test_the_spread_of_a_gaussian_is_its_standard_deviation(sigma: float) -> None:
    maps = HeatmapCodec(sigma).encode(torch.tensor([[[0.1, -0.05]]]), 48).clamp(min=1e-30).log()
    # Two axes; sampled on whole cells, a Gaussian this wide has its variance to a thousandth.
    assert spread(maps).item() == pytest.approx(math.sqrt(2) * sigma / 48, rel=2e-3)


def test_a_map_of_one_cell_has_no_spread_and_the_highest_quality() -> None:
    maps = torch.full((1, 1, 10, 10), -1e4)
    maps[0, 0, 4, 4] = 0.0
    assert spread(maps).item() == pytest.approx(0.0, abs=1e-3)
    calibration = Calibration(-8.0, 3.0)
    assert torch.isfinite(calibration.quality(torch.zeros(1))).all()


def test_spread_depends_neither_on_peak_position_nor_logit_offset() -> None:
    maps = HeatmapCodec(1.0).encode(torch.tensor([[[-0.2, 0.1], [0.15, 0.2]]]), 32).clamp(min=1e-30).log()
    first, second = spread(maps)[0]
    assert first.item() == pytest.approx(second.item(), rel=1e-3)
    assert spread(maps + 7.0)[0, 0].item() == pytest.approx(first.item(), rel=1e-3)


@given(logs, logs)
def test_a_wider_map_never_has_a_higher_quality(one: float, other: float) -> None:
    narrow, wide = sorted((math.exp(one), math.exp(other)))
    calibration = Calibration(-12.0, 4.5)
    better, worse = calibration.quality(torch.tensor([narrow, wide]))
    assert 0 <= worse <= better <= 1


def sample(calibration: Calibration, count: int, seed: int = 0) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Draw spreads, and for each point whether it is good, according to ``calibration``."""
    rng = np.random.default_rng(seed)
    spreads = np.exp(rng.normal(math.log(0.06), 0.4, count))
    chance = calibration.quality(torch.from_numpy(spreads)).numpy()
    return spreads, rng.random(count) < chance


def test_a_known_calibration_is_recovered() -> None:
    true = Calibration(-13.0, 5.0)
    found = Calibration.fit(*sample(true, 200_000))
    # Standard errors at 200,000 points: about 0.02 of the slope, 0.05 of the intercept.
    assert found.slope == pytest.approx(true.slope, abs=0.1)
    assert found.intercept == pytest.approx(true.intercept, abs=0.3)


def test_the_fit_has_a_zero_gradient() -> None:
    spreads, good = sample(Calibration(-9.0, 3.0), 3000, seed=1)
    found = Calibration.fit(spreads, good)
    left = good - found.quality(torch.from_numpy(spreads)).numpy()
    assert left.sum() == pytest.approx(0, abs=1e-6)
    assert (left * np.log(spreads)).sum() == pytest.approx(0, abs=1e-6)


def test_the_fit_does_not_depend_on_how_much_spreads_differ() -> None:
    spreads, good = sample(Calibration(-9.0, 3.0), 3000, seed=1)
    found = Calibration.fit(spreads, good)
    alike = Calibration.fit(spreads**1e-3 * 0.05, good)  # log spread shrunk to a thousandth, and moved
    assert alike.slope == pytest.approx(1000 * found.slope, rel=1e-6)
    assert alike.intercept == pytest.approx(found.intercept + alike.slope * math.log(0.05), rel=1e-6)


@pytest.mark.parametrize("good", [np.ones(5, bool), np.zeros(5, bool)])
def test_all_good_or_all_bad_points_are_refused(good: npt.NDArray[np.bool_]) -> None:
    with pytest.raises(RunError, match="too few"):
        Calibration.fit(np.linspace(0.01, 0.1, 5), good)


@pytest.mark.parametrize(
    ("spreads", "good"),
    [
        (
            [0.01, 0.02, 0.1, 0.2],
            [True, True, False, False],
        ),  # the likelihood grows with the slope without limit
        ([0.01, 0.02, 0.1, 0.2], [False, False, True, True]),
        ([0.05] * 6, [True, True, False, False, True, False]),
    ],
)
def test_samples_without_a_maximum_likelihood_are_refused(spreads: list[float], good: list[bool]) -> None:
    with pytest.raises(RunError):
        Calibration.fit(np.array(spreads), np.array(good))


def test_empty_and_non_finite_samples_are_refused() -> None:
    with pytest.raises(RunError, match="too few"):
        Calibration.fit(np.zeros(0), np.zeros(0, bool))
    with pytest.raises(RunError, match="not finite"):
        Calibration.fit(np.array([0.01, math.nan, 0.1]), np.array([True, False, False]))


@pytest.mark.parametrize(("intercept", "slope"), [(0.0, -1.0), (0.0, 0.0), (math.nan, 1.0), (0.0, math.inf)])
def test_a_calibration_that_trusts_wide_maps_is_refused(intercept: float, slope: float) -> None:
    with pytest.raises(RunError, match="wide maps"):
        Calibration(intercept, slope)


def test_reliability_puts_each_point_into_one_bin() -> None:
    quality = np.array([0.9, 0.1, 0.8, 0.2])
    error = np.array([1.0, 9.0, GOOD_PERCENT, GOOD_PERCENT + 0.1])
    table = reliability(quality, error, bins=2)
    assert [astuple(row) for row in table] == [
        pytest.approx((2, 0.15, 0.0, 7.05)),
        pytest.approx((2, 0.85, 1.0, 3.0)),
    ]
    assert calibration_error(table) == pytest.approx(0.15)
    assert sum(row.count for row in reliability(quality, error, bins=3)) == 4


def test_a_true_calibration_has_no_calibration_error() -> None:
    true = Calibration(-13.0, 5.0)
    spreads, good = sample(true, 100_000, seed=2)
    quality = true.quality(torch.from_numpy(spreads)).numpy()
    table = reliability(quality, np.where(good, 1.0, 10.0))
    # Each bin holds 10,000 points, so the standard error of its share is half a per cent.
    assert calibration_error(table) < 0.006


def test_the_error_in_the_worst_tenth() -> None:
    error = np.concatenate([np.full(10, 9.0), np.ones(90)])
    assert error_in_worst(-error, error) == pytest.approx(90 / 180)
    assert error_in_worst(error, error) == pytest.approx(10 / 180)
    assert error_in_worst(np.zeros(100), np.ones(100), 0.3) == pytest.approx(0.3)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_300w(tmp_path_factory.mktemp("tree"))
