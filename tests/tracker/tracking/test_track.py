"""Tracks: expected motion."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.tracks import FPS, move, sighting_at, track_at
from tracker.tracking.smoothing import PRESETS, PointFilter


def test_a_moving_face_is_expected_further_on_and_a_still_one_in_place() -> None:
    track = track_at(200, 200)
    for frame in range(1, 5):
        move(track, 200 + 20 * frame, 200, frame / FPS)
    ahead = track.expected_crop(5 / FPS)
    # Coasting falls short of constant velocity: 0.2 (1 - exp(-1/6)) s of 1/30 s.
    share = 0.2 * -math.expm1(-1 / (0.2 * FPS)) * FPS
    assert ahead.center == pytest.approx((track.crop.center[0] + 20 * share, track.crop.center[1]))
    assert ahead.side == track.crop.side
    jittering = track_at(200, 200)
    move(jittering, 201, 199, 1 / FPS)
    assert jittering.expected_crop(2 / FPS) == jittering.crop


def test_the_expected_motion_of_a_face_dies_out() -> None:
    track = track_at(200, 200)
    move(track, 230, 200, 1 / FPS)
    far = track.expected_points(1000.0)[:, 0].mean() - track.landmarks.points_frame[:, 0].mean()
    assert far == pytest.approx(30 * FPS * 0.2)


def test_times_that_do_not_advance_give_no_velocity() -> None:
    track = track_at(200, 200, time_s=1.0)
    move(track, 260, 200, 1.0)
    assert track.velocity == (0.0, 0.0)
    assert np.isfinite(track.expected_points(1.0)).all()


def test_a_track_that_comes_back_is_live_and_has_no_velocity() -> None:
    track = track_at(200, 200)
    move(track, 230, 200, 1 / FPS)
    track.lose(2 / FPS, doubted=True)
    track.lose(3 / FPS)
    assert (track.lost_at_s, track.doubted) == (2 / FPS, True)
    track.come_back(sighting_at(260, 200), 9 / FPS)
    assert not track.is_lost
    assert not track.doubted
    assert (track.velocity, track.seen_at_s) == ((0.0, 0.0), 9 / FPS)


def test_smoothed_landmarks_leave_those_of_the_track_alone() -> None:
    track = track_at(200, 200)
    assert track.smoothed(0.0) is track.landmarks
    high = PRESETS["high"]
    assert high is not None
    track.smooth = PointFilter(high)
    track.smoothed(0.0)
    move(track, 203, 200, 1 / FPS)
    located = track.landmarks.points_frame.copy()
    shown = track.smoothed(1 / FPS)
    assert not np.allclose(shown.points_frame, located)
    assert np.array_equal(track.landmarks.points_frame, located)
