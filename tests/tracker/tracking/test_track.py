"""Tracks: motion, and who is who when faces come back."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.shapes import face_points
from tracker.geometry import CropTransform
from tracker.tracking.track import Track, assign, reunite
from tracker.types import FloatArray, Landmarks

FPS = 30.0


def seen(x: float, y: float, width: float = 100.0) -> Landmarks:
    return Landmarks(face_points((x, y), width), 0.9)


def start(x: float, y: float, track_id: int = 1, time_s: float = 0.0) -> Track:
    face = seen(x, y)
    return Track(track_id, face, CropTransform.from_points(face.points_frame), time_s)


def move(track: Track, x: float, y: float, time_s: float) -> None:
    face = seen(x, y)
    track.follow(face, CropTransform.from_points(face.points_frame), time_s)


def best_sum(costs: FloatArray) -> tuple[int, float]:
    """By trying all ways: the largest number of finite pairs, and the least that they cost."""
    rows, columns = costs.shape
    best = (0, 0.0)
    padded = [*range(columns), *[None] * rows]
    for way in set(itertools.permutations(padded, rows)):
        pairs = [costs[r, c] for r, c in enumerate(way) if c is not None]
        if all(map(math.isfinite, pairs)):
            best = min(best, (-len(pairs), float(sum(pairs))))
    return -best[0], best[1]


cost_tables = st.tuples(st.integers(0, 3), st.integers(0, 3)).flatmap(
    lambda shape: hnp.arrays(
        np.float64, shape, elements=st.sampled_from([0.0, 0.25, 1.0, 1.5, 3.0, math.inf])
    )
)


@given(costs=cost_tables)
def test_an_assignment_is_as_cheap_as_the_best_of_all(costs: FloatArray) -> None:
    pairs = [(row, column) for row, column in enumerate(assign(costs)) if column is not None]
    assert len(assign(costs)) == len(costs)
    assert len({column for _, column in pairs}) == len(pairs)
    count, least = best_sum(costs)
    assert len(pairs) == count
    assert sum(costs[pair] for pair in pairs) == pytest.approx(least)


def test_a_moving_face_is_expected_further_on_and_a_still_one_where_it_is() -> None:
    track = start(200, 200)
    for frame in range(1, 5):
        move(track, 200 + 20 * frame, 200, frame / FPS)
    ahead = track.expected_crop(5 / FPS)
    # Coasting falls short of constant velocity: 0.2 (1 - exp(-1/6)) s of 1/30 s.
    share = 0.2 * -math.expm1(-1 / (0.2 * FPS)) * FPS
    assert ahead.center == pytest.approx((track.crop.center[0] + 20 * share, track.crop.center[1]))
    assert ahead.side == track.crop.side
    shaking = start(200, 200)
    move(shaking, 201, 199, 1 / FPS)
    assert shaking.expected_crop(2 / FPS) == shaking.crop


def test_nobody_coasts_out_of_the_world() -> None:
    track = start(200, 200)
    move(track, 230, 200, 1 / FPS)
    far = track.expected_points(1000.0)[:, 0].mean() - track.landmarks.points_frame[:, 0].mean()
    assert far == pytest.approx(30 * FPS * 0.2)


def test_times_that_do_not_advance_give_no_velocity() -> None:
    track = start(200, 200, time_s=1.0)
    move(track, 260, 200, 1.0)
    assert track.velocity == (0.0, 0.0)
    assert np.isfinite(track.expected_points(1.0)).all()


def test_faces_that_crossed_behind_each_other_keep_their_names() -> None:
    """One walks right, one left; both are lost for a fifth of a second while they pass."""
    right, left = start(200, 200, 1), start(400, 200, 2)
    for frame in range(1, 6):
        move(right, 200 + 12 * frame, 200, frame / FPS)
        move(left, 400 - 12 * frame, 200, frame / FPS)
    now_s = 11 / FPS
    faces = [seen(400 - 12 * 11, 200), seen(200 + 12 * 11, 200)]
    assert reunite([right, left], faces, now_s) == [left, right]


def test_all_together_matter_more_than_the_nearest() -> None:
    """The nearest pair would leave the other two out of reach of each other."""
    first, second = start(200, 200, 1), start(250, 200, 2)
    faces = [seen(155, 200), seen(205, 200)]
    assert reunite([first, second], faces, 1 / FPS) == [first, second]


def test_someone_far_away_or_of_another_size_is_someone_new() -> None:
    track = start(200, 200)
    assert reunite([track], [seen(300, 200)], 1 / FPS) == [None]
    assert reunite([track], [seen(200, 200, width=350)], 1 / FPS) == [None]
    assert reunite([track], [seen(240, 200)], 1 / FPS) == [track]
    assert reunite([], [seen(240, 200)], 1 / FPS) == [None]
    assert reunite([track], [], 1 / FPS) == []


def test_the_longer_a_face_was_away_the_further_it_may_have_gone() -> None:
    track = start(200, 200)
    assert reunite([track], [seen(300, 200)], 1.0) == [track]
