"""Admission: probability of a face from score, presence, quality and size, and the least values."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shapes import canonical_points
from tests.strategies import floats
from tracker.distribution import repair_command
from tracker.errors import WeightsError
from tracker.tracking.admission import TYPICAL_SIZE, Admission, Entry, MinConfidence
from tracker.types import Landmarks

ANYTHING = MinConfidence(0.0, 0.0)
probabilities = floats(0, 1)


def face(presence: float = 0.9, quality: float | None = 0.9, size: float = TYPICAL_SIZE) -> Landmarks:
    points = canonical_points()
    points = (points - points.min(axis=0)) / np.ptp(points, axis=0).max() * size
    return Landmarks(points, presence, None if quality is None else np.full(68, quality))


def test_the_probability_is_that_of_the_logistic_regression() -> None:
    admission = Admission(bias=0.5, score=2.0, presence=3.0, quality=-1.0, size=0.25)
    odds = 0.5 + 2 * math.log(0.8 / 0.2) + 3 * math.log(0.6 / 0.4) - math.log(0.7 / 0.3) + 0.25 * math.log(4)
    probability = admission.probability(face(0.6, 0.7, 4 * TYPICAL_SIZE), 0.8)
    assert probability == pytest.approx(1 / (1 + math.exp(-odds)))


@given(probabilities, probabilities, probabilities, floats(1, 2000))
def test_any_values_have_a_probability(score: float, presence: float, quality: float, size: float) -> None:
    assert 0 <= Admission(size=-0.6).probability(face(presence, quality, size), score) <= 1


@given(probabilities, probabilities, probabilities, st.sampled_from(["score", "presence", "quality"]))
def test_more_of_anything_makes_a_face_no_less_probable(
    score: float, presence: float, quality: float, name: str
) -> None:
    values = {"score": score, "presence": presence, "quality": quality}
    more = {**values, name: min(values[name] + 0.1, 1.0)}

    def probability(of: dict[str, float]) -> float:
        return Admission().probability(face(of["presence"], of["quality"]), of["score"])

    assert probability(more) >= probability(values)


def test_presence_stands_for_the_quality_that_a_model_does_not_judge() -> None:
    judged = Admission().probability(face(0.7, 0.7), 0.8)
    assert Admission().probability(face(0.7, None), 0.8) == pytest.approx(judged)


def test_coefficients_come_from_the_manifest() -> None:
    values = {"bias": -2.0, "score": 1.5, "presence": 0.5, "quality": 0.25, "size": -0.5}
    assert Admission.from_meta({"admission": values}) == Admission(-2.0, 1.5, 0.5, 0.25, -0.5)
    assert Admission.from_meta({}) == Admission()


@pytest.mark.parametrize(
    "wrong", [{"bias": math.nan}, {"bias": "much"}, {"biass": 1.0}, [1.0, 2.0], {"score": None}]
)
def test_unusable_coefficients_are_refused_in_one_line(wrong: Any) -> None:
    remedy = re.escape(repair_command())
    with pytest.raises(WeightsError, match=rf"^the landmark model's admission [^\n]+: {remedy}$"):
        Admission.from_meta({"admission": wrong})


@pytest.mark.parametrize(
    ("presence", "quality", "accepted"),
    [(0.5, None, True), (0.49, None, False), (0.5, 0.2, True), (0.9, 0.19, False), (0.4, 0.9, False)],
)
def test_presence_and_mean_quality_are_required(
    presence: float, quality: float | None, accepted: bool
) -> None:
    each = None if quality is None else np.linspace(quality - 0.1, quality + 0.1, 68)
    seen = Landmarks(canonical_points(), presence, each)
    assert MinConfidence(0.5, 0.2 - 1e-9).accepts(seen, (224, 224)) is accepted


def test_points_outside_the_picture_count_against_a_face() -> None:
    seen = face(size=100)
    share = float((seen.points_frame[:, 1] < 60).mean())
    assert 0 < share < 1
    assert MinConfidence(0.5, 0.0, share - 0.01).accepts(seen, (60, 200))
    assert not MinConfidence(0.5, 0.0, share + 0.01).accepts(seen, (60, 200))


@given(floats(-150, 250), floats(-150, 250))
def test_the_share_of_points_inside_is_counted(x: float, y: float) -> None:
    points = face(size=100).points_frame + np.array([x, y])
    inside = [-0.5 <= px < 199.5 and -0.5 <= py < 119.5 for px, py in points.tolist()]
    share = sum(inside) / 68
    seen = Landmarks(points)
    assert MinConfidence(0.0, 0.0, share).accepts(seen, (120, 200))
    assert share == 1 or not MinConfidence(0.0, 0.0, share + 1e-9).accepts(seen, (120, 200))


@pytest.mark.parametrize(("x", "share"), [(-0.5, 1.0), (-0.51, 0.0), (199.49, 1.0), (199.5, 0.0)])
def test_a_point_on_the_border_is_inside_as_far_as_its_pixel(x: float, share: float) -> None:
    seen = Landmarks(np.full((68, 2), (x, 50.0)))
    assert MinConfidence(0.0, 0.0, 0.5).accepts(seen, (100, 200)) is (share == 1.0)


def test_an_entry_asks_for_probability_and_least_values() -> None:
    seen = face(0.9, 0.9)
    probability = Admission().probability(seen, 0.9)
    assert Entry(Admission(), probability, ANYTHING).accepts(seen, 0.9, (224, 224))
    assert not Entry(Admission(), probability + 1e-6, ANYTHING).accepts(seen, 0.9, (224, 224))
    assert not Entry(Admission(), 0.0, MinConfidence(0.95, 0.0)).accepts(seen, 0.9, (224, 224))


def test_points_that_coincide_are_no_face() -> None:
    seen = Landmarks(np.ones((68, 2)), 1.0, np.ones(68))
    assert not Entry(Admission(), 0.0, ANYTHING).accepts(seen, 1.0, (224, 224))
