import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import floats
from tests.train.evaluation.examples import ONE_POINT, evaluation
from train.errors import DataError
from train.evaluation.results import Evaluation, Measure, scores
from train.metrics import nme_percent

errors = st.lists(floats(0, 30) | st.just(math.inf), min_size=1, max_size=25)


def test_every_number_matches_a_hand_calculation() -> None:
    (result,) = scores(evaluation({"lfpw": [2, 12, 4, math.inf, math.inf]}))
    assert (result.subset, result.faces, result.misses) == ("lfpw", 5, 2)
    assert result.mean == pytest.approx(6)
    assert result.median == pytest.approx(4)
    assert result.failure_rate == pytest.approx(3 / 5)
    assert result.auc == pytest.approx((6 / 8 + 4 / 8) / 5)
    assert result.mean_low < 6 < result.mean_high
    assert list(result.parts.values()) == pytest.approx([6] * 5)


def test_the_box_normalised_mean_by_hand() -> None:
    """For equal shifts, the box mean differs from the inter-ocular one by the ratio of the two lengths."""
    made = evaluation({"lfpw": [2, 6]})
    size = math.sqrt(math.prod(np.ptp(made.truth[0], axis=0)))
    (result,) = scores(made)
    assert result.box_mean == pytest.approx(4 * made.normaliser[0] / size)


def test_two_subsets_are_scored_apart_and_together() -> None:
    results = scores(evaluation({"lfpw": [1], "helen": [4, 7]}))
    assert [(s.subset, s.faces) for s in results] == [("lfpw", 1), ("helen", 2), ("lfpw + helen", 3)]
    assert [s.mean for s in results] == pytest.approx([1, 5.5, 4])


def test_a_subset_without_hits_has_no_mean_and_counts_as_failed() -> None:
    (result,) = scores(evaluation({"lfpw": [math.inf, math.inf]}))
    missing = (result.mean, result.median, result.mean_low, result.mean_high, result.box_mean)
    assert all(map(math.isnan, (*missing, *result.parts.values())))
    assert (result.misses, result.failure_rate, result.auc) == (2, 1, 0)


def noisy(seed: int, faces: int = 9) -> Evaluation:
    made = evaluation({"lfpw": [0] * faces})
    rng = np.random.default_rng(seed)
    return replace(made, predicted=made.truth + rng.normal(0, 5, made.truth.shape))


@given(st.integers(0, 2**32 - 1))
def test_parts_weighted_by_their_points_add_up_to_the_whole(seed: int) -> None:
    made = noisy(seed)
    (result,) = scores(made)
    weighted = sum(result.parts[name] * len(part) for name, part in made.measure.parts.items())
    assert weighted / 68 == pytest.approx(result.mean, rel=1e-12)


def test_errors_are_the_nme() -> None:
    made = noisy(3)
    assert made.errors == pytest.approx(nme_percent(made.predicted, made.truth))


def test_the_error_of_a_part_uses_its_own_points_only() -> None:
    """Only the mouth is off, by a tenth of the inter-ocular distance."""
    made = evaluation({"lfpw": [0, 0]})
    predicted = made.truth.copy()
    predicted[:, 48:68, 1] += made.normaliser[0] / 10
    (result,) = scores(replace(made, predicted=predicted))
    assert result.parts == pytest.approx({"jaw": 0, "brows": 0, "nose": 0, "eyes": 0, "mouth": 10})


@given(errors)
def test_misses_never_improve_rate_or_area(listed: list[float]) -> None:
    """Compared with the same faces found with an error just beyond every threshold."""
    (result,) = scores(evaluation({"x": listed}))
    (worst,) = scores(evaluation({"x": [min(error, 31) for error in listed]}))
    assert result.failure_rate == worst.failure_rate
    assert result.auc == pytest.approx(worst.auc)
    assert result.misses == np.isinf(listed).sum()


def one_point(distances: Sequence[float]) -> Evaluation:
    truth = np.full((len(distances), 1, 2), 100.0)
    predicted = truth + np.array(distances)[:, None, None] * (0.6, 0.8)
    images = tuple(Path(f"{i}.jpg") for i in range(len(distances)))
    return Evaluation(
        "label box", ONE_POINT, images, ("imm",) * len(distances), predicted, truth, np.ones(len(distances))
    )


def test_one_point_in_pixels() -> None:
    (result,) = scores(one_point([3, 5, 13]))
    assert (result.mean, result.median) == pytest.approx((7, 5))
    assert 1 - result.failure_rate == pytest.approx(2 / 3)
    assert math.isnan(result.box_mean)


def test_shapes_that_disagree_are_refused() -> None:
    made = evaluation({"lfpw": [1, 2]})
    for changes in (
        {"predicted": made.predicted[:1]},
        {"predicted": made.predicted[:, :67]},
        {"truth": made.truth[:, :, :1]},
        {"subsets": ("lfpw",)},
        {"normaliser": made.normaliser[:, None]},
        {"images": (), "subsets": (), "predicted": made.predicted[:0], "truth": made.truth[:0]},
    ):
        with pytest.raises(DataError, match="expected"):
            replace(made, **changes)


@pytest.mark.parametrize("normaliser", [0.0, -1.0, math.nan])
def test_a_face_without_a_valid_normaliser_is_named(normaliser: float) -> None:
    made = evaluation({"lfpw": [1, 2]})
    with pytest.raises(DataError, match=r"1\.jpg: its labels"):
        replace(made, normaliser=np.array([50.0, normaliser]))


@pytest.mark.parametrize(
    "parts", [{}, {"a": ()}, {"a": (0, 1), "b": (1, 2)}, {"a": (0, 2)}, {"a": (1, 2)}], ids=str
)
def test_parts_must_cover_every_point_once(parts: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match="each point once"):
        Measure(unit="%", failure=10, limit=8, parts=parts)


@pytest.mark.parametrize(("failure", "limit"), [(0, 8), (10, -1)])
def test_limits_must_be_positive(failure: float, limit: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        Measure(unit="%", failure=failure, limit=limit, parts={"a": (0,)})
