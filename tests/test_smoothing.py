from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shapes import face_points
from tests.strategies import floats
from tracker.smoothing import PRESETS, OneEuro, PointFilter

SETTINGS = OneEuro(rest_hz=2.0, hz_per_speed=30.0)


def test_a_constant_stays_what_it_is() -> None:
    points = face_points()
    smooth = PointFilter(SETTINGS)
    for i in range(20):
        assert np.array_equal(smooth(points, i / 30), points)


def test_the_first_answer_and_one_without_time_are_the_input() -> None:
    smooth = PointFilter(SETTINGS)
    a, b = face_points(), face_points((130, 90))
    assert np.array_equal(smooth(a, 5.0), a)
    assert np.array_equal(smooth(b, 5.0), b)
    assert np.array_equal(smooth(a, 4.0), a)


def test_matches_the_paper_written_out_for_one_coordinate() -> None:
    """An independent scalar version of the published algorithm, one point moving along x."""
    rng = np.random.default_rng(1)
    base = face_points(size=100.0)
    size = np.ptp(base, axis=0).max()
    xs = np.cumsum(rng.normal(0, 3, 50))
    smooth = PointFilter(SETTINGS)
    previous, speed = xs[0], 0.0
    smooth(base + np.array([xs[0], 0]), 0.0)
    for i in range(1, 50):
        dt = 1 / 25

        def alpha(cutoff: float, dt: float = dt) -> float:
            tau = 1 / (2 * np.pi * cutoff)
            return 1 / (1 + tau / dt)

        speed += alpha(SETTINGS.speed_hz) * ((xs[i] - previous) / size / dt - speed)
        a = alpha(SETTINGS.rest_hz + SETTINGS.hz_per_speed * abs(speed))
        previous = a * xs[i] + (1 - a) * previous
        got = smooth(base + np.array([xs[i], 0]), i / 25)
        assert np.abs(got - (base + np.array([previous, 0]))).max() < 1e-9


@given(floats(0.05, 20), floats(-3, 3), st.integers(0, 1000))
def test_scale_and_turn_of_the_picture_do_not_matter(scale: float, turn: float, seed: int) -> None:
    rotation = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    walk = np.cumsum(np.random.default_rng(seed).normal(0, 2, (8, 2)), axis=0)
    square = np.array([[-50, -50], [50, -50], [50, 50], [-50, 50], [0, 0]], float)
    # a ring keeps its extent under rotation, as the filter's unit is the upright extent
    ring = 50 * np.column_stack([np.cos(np.arange(720) * np.pi / 360), np.sin(np.arange(720) * np.pi / 360)])
    shape = np.concatenate([square * 0.5, ring])
    plain, moved = PointFilter(SETTINGS), PointFilter(SETTINGS)
    for i, step in enumerate(walk):
        expected = plain(shape + step, i / 30) @ rotation.T
        got = moved((shape + step) @ rotation.T, i / 30)
        assert np.abs(got - expected).max() < 2e-3 * scale


@given(st.integers(0, 1000))
def test_the_answer_lies_between_the_last_one_and_the_input(seed: int) -> None:
    rng = np.random.default_rng(seed)
    smooth = PointFilter(SETTINGS)
    last = smooth(face_points(), 0.0)
    for i in range(1, 6):
        points = face_points() + rng.normal(0, 20, (68, 2))
        now = smooth(points, i * 0.04)
        low, high = np.minimum(last, points), np.maximum(last, points)
        assert (now >= low - 1e-9).all()
        assert (now <= high + 1e-9).all()
        last = now


def test_noise_of_a_still_face_shrinks_and_high_shrinks_it_more() -> None:
    rng = np.random.default_rng(0)
    frames = face_points() + rng.normal(0, 0.3, (200, 68, 2))
    left = {}
    for name in ("low", "high"):
        settings = PRESETS[name]
        assert settings is not None
        smooth = PointFilter(settings)
        left[name] = np.std([smooth(f, i / 30) for i, f in enumerate(frames)][50:], axis=0).mean()
    assert left["high"] < left["low"] < 0.3 * 0.8


def test_the_input_is_not_changed() -> None:
    points = face_points()
    copy = points.copy()
    smooth = PointFilter(SETTINGS)
    smooth(points, 0)[:] = 0
    smooth(points, 1)
    assert np.array_equal(points, copy)


@pytest.mark.parametrize("wrong", [(0, 1, 1), (1, -1, 1), (1, 1, 0)])
def test_settings_are_checked(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError):
        OneEuro(*wrong)
