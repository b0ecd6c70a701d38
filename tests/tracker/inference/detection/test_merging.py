"""Merging: order does not matter, means are weighted, and contradicting rolls stay."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.blazeface import faces_at
from tests.faces import UPRIGHT_KEYPOINTS
from tests.strategies import floats
from tracker.inference.detection.box_correction import RawFace
from tracker.inference.detection.merging import MAX_SCORE_GAP, SAME_FACE_IOU, best_of_views, weighted_nms
from tracker.types import FaceBox


def raw_face(x: float, score: float, roll: float = 0.0) -> RawFace:
    """A face of 100 pixels around (x, 0)."""
    turn = np.array([[math.cos(roll), -math.sin(roll)], [math.sin(roll), math.cos(roll)]])
    return RawFace(FaceBox(x - 50, -50, x + 50, 50, score), UPRIGHT_KEYPOINTS @ turn.T + [x, 0])


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 40))
def test_merging_does_not_depend_on_order_and_stays_inside_the_hull(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    points = np.concatenate(
        [faces_at(rng.uniform(0, 300, (n, 2)), 100), faces_at(np.array([[900.0, 900.0]]), 100)]
    )
    points += rng.uniform(-5, 5, points.shape)
    scores = rng.permutation(np.linspace(0.5, 1.0, n + 1))  # equal ones have no order
    merged = weighted_nms(points, scores)
    shuffle = rng.permutation(n + 1)
    again = weighted_nms(points[shuffle], scores[shuffle])
    assert [score for _, score in merged] == [score for _, score in again]
    for (one, _), (two, _) in zip(merged, again, strict=True):
        np.testing.assert_allclose(one, two, rtol=0, atol=1e-9)
        assert (one >= points.min(axis=0) - 1e-9).all()
        assert (one <= points.max(axis=0) + 1e-9).all()
    kept = [score for _, score in merged]
    assert kept == sorted(kept, reverse=True)
    assert kept[0] == 1.0
    alone = min(merged, key=lambda face: np.abs(face[0] - 900).max())[0]
    np.testing.assert_allclose(alone, points[-1], atol=1e-9)  # it overlaps no other box


def test_merging_is_weighted_by_score_and_ends_at_the_threshold() -> None:
    size = 100.0
    # Two squares shifted by d overlap with IoU (size - d) / (size + d).
    limit = size * (1 - SAME_FACE_IOU) / (1 + SAME_FACE_IOU)
    near, far = (faces_at(np.array([[0.0, 0.0], [limit + step, 0.0]]), size) for step in (-0.01, 0.01))
    scores = np.array([0.9, 0.6])
    (merged,) = weighted_nms(near, scores)
    np.testing.assert_allclose(merged[0][2], [0.4 * (limit - 0.01), 0.0], atol=1e-12)
    assert merged[1] == 0.9
    assert [score for _, score in weighted_nms(far, scores)] == [0.9, 0.6]


@given(roll=floats(-3, 3), scores=st.tuples(floats(0.5, 0.99), floats(0.5, 0.99)))
def test_a_face_seen_in_two_views_is_reported_once(roll: float, scores: tuple[float, float]) -> None:
    faces = [raw_face(0, scores[0], roll), raw_face(10, scores[1], roll + 0.5), raw_face(300, 0.6, roll)]
    kept = best_of_views(faces)
    assert [face.box.score for face in kept] == sorted([max(scores), 0.6], reverse=True)
    again = best_of_views(kept)
    assert again == kept


@pytest.mark.parametrize(("gap", "count"), [(0.0, 2), (MAX_SCORE_GAP - 0.01, 2), (MAX_SCORE_GAP + 0.01, 1)])
def test_a_face_found_both_ways_up_is_reported_both_ways_unless_one_is_much_surer(
    gap: float, count: int
) -> None:
    kept = best_of_views([raw_face(5, 0.9 - gap, math.pi), raw_face(0, 0.9)])
    assert len(kept) == count
    assert kept[0].box.score == 0.9
