import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import floats
from tracker.types import FloatArray
from train.evaluation.bootstrap import mean_interval


def test_the_width_matches_that_of_a_normal_mean() -> None:
    """Resampled means are nearly normal with s / sqrt(n); the ends are quantiles of 2000 of them.

    The standard error of a 2.5 % quantile of 2000 normal draws is 0.06 s, so the width's is at most 0.12 s:
    five of them are 15 % of the 3.92 s.
    """
    sample = np.random.default_rng(1).normal(5, 2, 400)
    low, high = mean_interval(sample)
    error = sample.std() / math.sqrt(len(sample))
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.15)
    assert (low + high) / 2 == pytest.approx(sample.mean(), abs=0.3 * error)


def test_the_interval_covers_the_true_mean_at_the_stated_rate() -> None:
    """At n = 50 the percentile interval of a normal mean covers with P(|t(49)| < 1.96 sqrt(49/50)) = 94.2 %.

    Over 600 samples the standard deviation of the share is 0.96 %; the tolerance is four of them.
    """
    rng = np.random.default_rng(2)
    intervals = [mean_interval(rng.normal(3, 1, 50), resamples=500, seed=i) for i in range(600)]
    share = np.mean([low <= 3 <= high for low, high in intervals])
    assert abs(share - 0.942) < 4 * 0.0096


def test_pictures_of_one_person_count_as_one() -> None:
    """Copies of a value tell nothing new: with groups the interval stays, without it shrinks by half."""
    sample = np.random.default_rng(6).normal(5, 2, 100)
    copies, people = np.tile(sample, 4), np.tile(np.arange(100), 4)
    alone, grouped = mean_interval(sample), mean_interval(copies, groups=people)
    assert grouped == pytest.approx(alone)
    low, high = mean_interval(copies)
    assert (high - low) / (alone[1] - alone[0]) == pytest.approx(0.5, rel=0.15)


def test_groups_of_different_size_weigh_by_their_values() -> None:
    """A mean over faces, not over people: of draws {a, a}, {a, b} and {b, b} the middle one is 1 of 4."""
    values, groups = np.array([1.0, 5.0, 5.0, 5.0]), np.array(["a", "b", "b", "b"])
    assert mean_interval(values, groups=groups, level=0.98) == (1.0, 5.0)
    assert mean_interval(values, groups=groups, level=0.01) == (4.0, 4.0)


def test_groups_of_one_are_no_groups() -> None:
    sample = np.random.default_rng(7).exponential(2, 60)
    assert mean_interval(sample, groups=np.arange(60)) == pytest.approx(mean_interval(sample))


def test_a_lower_level_gives_a_narrower_interval() -> None:
    sample = np.random.default_rng(3).exponential(2, 200)
    wide, narrow = mean_interval(sample, level=0.95), mean_interval(sample, level=0.5)
    assert wide[0] < narrow[0] < sample.mean() < narrow[1] < wide[1]


def test_the_seed_determines_the_interval() -> None:
    sample = np.random.default_rng(4).exponential(2, 100)
    assert mean_interval(sample, seed=7) == mean_interval(sample, seed=7)
    assert mean_interval(sample, seed=7) != mean_interval(sample, seed=8)


@given(st.lists(floats(0, 100), min_size=1, max_size=30).map(np.array))
def test_the_interval_lies_within_the_sample(values: FloatArray) -> None:
    low, high = mean_interval(values, resamples=100)
    rounding = 1e-9
    assert values.min() - rounding <= low <= high <= values.max() + rounding


def test_one_value_gives_a_point_and_none_gives_nan() -> None:
    assert mean_interval(np.array([3.5])) == (3.5, 3.5)
    assert all(map(math.isnan, mean_interval(np.array([]))))
