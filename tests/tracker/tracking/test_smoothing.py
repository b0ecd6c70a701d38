"""Smoothing: the One-Euro filter step by step, and what it does to still and moving faces."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shapes import face_points
from tests.strategies import floats
from tracker.scheme.ibug68 import PARTS
from tracker.tracking.smoothing import PRESETS, ComplexArray, OneEuro, PointFilter, fit_similarity
from tracker.types import FloatArray

FILTER = OneEuro(rest_hz=2.0, hz_per_speed=30.0, speed_hz=5.0, noise_speed=0.02)
AS_COMPLEX: ComplexArray = np.array([1, 1j])
STEADY = [*range(5), *range(12, 17), *range(27, 36), 36, 39, 42, 45]
LIVELY = ("left_eye", "right_eye", "outer_lip", "inner_lip")

seeds = st.integers(0, 1000)


def run(track: FloatArray, times_s: FloatArray, parameters: OneEuro = FILTER) -> FloatArray:
    smooth = PointFilter(parameters)
    return np.stack([smooth(points, float(time_s)) for points, time_s in zip(track, times_s, strict=True)])


def random_motion(seed: int, count: int = 12, size: float = 3.0) -> FloatArray:
    """A face whose head and points move at random, ``(count, 68, 2)``."""
    rng = np.random.default_rng(seed)
    head = np.cumsum(rng.normal(0, size, (count, 1, 2)), axis=0)
    return face_points() + head + rng.normal(0, size / 3, (count, 68, 2))


def similarity(source: FloatArray, target: FloatArray) -> FloatArray:
    """The best similarity ``(2, 3)``, by linear least squares in its four unknowns."""
    rows = [row for x, y in source for row in ((x, -y, 1, 0), (y, x, 0, 1))]
    a, b, c, d = np.linalg.lstsq(np.array(rows), target.ravel(), rcond=None)[0]
    return np.array([[a, -b, c], [b, a, d]])


def steps_of(last: FloatArray, new: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The step from ``last`` to ``new``, split into the motion of the head and the rest."""
    linear = similarity(last[STEADY], new[STEADY])
    carried = last @ linear[:, :2].T + linear[:, 2]
    return carried - last, new - carried


def alpha(cutoff_hz: float, elapsed: float) -> float:
    """The paper's smoothing factor."""
    tau = 1 / (2 * math.pi * cutoff_hz)
    return 1 / (1 + tau / elapsed)


def reference_filter(track: FloatArray, times_s: FloatArray, parameters: OneEuro) -> FloatArray:
    """A plain implementation of the filter, one part and one step at a time."""
    out = [track[0]]
    slow = {"head": np.zeros((68, 2)), "points": np.zeros((68, 2))}
    for new, elapsed in zip(track[1:], np.diff(times_s), strict=True):
        last = out[-1]
        middle = new.mean(axis=0)
        width = 2.6 * np.sqrt(np.mean(np.sum((new - middle) ** 2, axis=1)))
        smooth = last.copy()
        for kind, step in zip(("head", "points"), steps_of(last, new), strict=True):
            slow[kind] += alpha(parameters.speed_hz, elapsed) * (step / width / elapsed - slow[kind])
            parts = {"all": range(68)} if kind == "head" else PARTS
            for name, span in parts.items():
                speed = np.sqrt(np.mean(np.sum(slow[kind][span] ** 2, axis=1)))
                response = 1.0 if kind == "head" else 2.5 if name in LIVELY else 0.5
                excess = response * max(speed - parameters.noise_speed, 0)
                smooth[span] += (
                    alpha(parameters.rest_hz + parameters.hz_per_speed * excess, elapsed) * step[span]
                )
        out.append(smooth)
    return np.stack(out)


@given(floats(-1000, 1000), floats(20, 500), floats(-3, 3))
def test_constant_points_stay_the_same(x: float, size: float, roll: float) -> None:
    points = face_points((x, 90.0), size, roll)
    got = run(np.repeat(points[None], 20, axis=0), np.arange(20) / 30)
    assert np.array_equal(got[0], points)
    # The fit's own rounding, nothing more.
    assert np.abs(got - points).max() <= 1e-12 * max(abs(x), size)


def test_the_first_call_and_one_without_elapsed_time_return_the_input() -> None:
    smooth = PointFilter(FILTER)
    a, b = face_points(), face_points((130, 90))
    assert np.array_equal(smooth(a, 5.0), a)
    assert np.array_equal(smooth(b, 5.0), b)
    assert np.array_equal(smooth(a, 4.0), a)


@given(seeds)
def test_the_filter_matches_a_plain_implementation_at_uneven_times(seed: int) -> None:
    times_s = np.cumsum(np.random.default_rng(seed).uniform(0.005, 0.2, 12))
    track = random_motion(seed)
    assert np.abs(run(track, times_s) - reference_filter(track, times_s, FILTER)).max() < 1e-9


def test_a_moving_head_is_filtered_as_the_paper_filters_one_coordinate() -> None:
    """An independent scalar version of the published algorithm, the head moving along x."""
    parameters = OneEuro(2.0, 30.0, noise_speed=0.0)
    base = face_points(size=100.0)
    width = 2.6 * np.sqrt(((base - base.mean(axis=0)) ** 2).sum(axis=1).mean())
    xs = np.cumsum(np.random.default_rng(1).normal(0, 3, 50))
    previous, speed = xs[0], 0.0
    got = run(base + np.column_stack([xs, 0 * xs])[:, None], np.arange(50) / 25, parameters)
    for i in range(1, 50):
        speed += alpha(parameters.speed_hz, 1 / 25) * ((xs[i] - previous) / width * 25 - speed)
        a = alpha(parameters.rest_hz + parameters.hz_per_speed * abs(speed), 1 / 25)
        previous = a * xs[i] + (1 - a) * previous
        assert np.abs(got[i] - (base + np.array([previous, 0]))).max() < 1e-9


@given(floats(0.05, 20), floats(-3, 3), floats(-500, 500), seeds)
def test_scaling_rotating_and_shifting_the_picture_does_not_matter(
    scale: float, turn: float, shift: float, seed: int
) -> None:
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    track, times_s = random_motion(seed), np.arange(12) / 30
    expected = run(track, times_s) @ linear.T + shift
    assert np.abs(run(track @ linear.T + shift, times_s) - expected).max() < 1e-9 * max(scale, 1)


@given(seeds, floats(0.01, 2.0))
def test_each_step_is_a_share_of_the_heads_step_and_one_of_each_parts_step(seed: int, elapsed: float) -> None:
    smooth = PointFilter(FILTER)
    track = random_motion(seed, 6)
    last = smooth(track[0], 0.0)
    for i in range(1, 6):
        now = smooth(track[i], i * elapsed)
        head, points = steps_of(last, track[i])
        ways = np.zeros((68, 2, 1 + len(PARTS)))
        ways[..., 0] = head
        for column, span in enumerate(PARTS.values(), 1):
            ways[span, :, column] = points[span]
        shares, *_ = np.linalg.lstsq(ways.reshape(136, -1), (now - last).ravel(), rcond=None)
        assert np.abs(ways @ shares - (now - last)).max() < 1e-9
        assert (shares > 0).all()
        assert (shares < 1).all()
        last = now


@given(floats(-50, 50), floats(-50, 50), floats(0.005, 0.5), st.sampled_from(["low", "high"]))
def test_a_jump_of_the_head_is_followed_without_overshoot(
    x: float, y: float, elapsed: float, preset: str
) -> None:
    parameters = PRESETS[preset]
    assert parameters is not None
    jump = np.array([x, y])
    track = face_points() + np.where(np.arange(30) < 5, 0, 1)[:, None, None] * jump
    way = run(track, np.arange(30) * elapsed, parameters) - face_points()
    # All points move alike, always forward, never past the end.
    assert np.abs(way - way[:, :1]).max() < 1e-9
    assert (np.diff(way[:, 0] * np.sign(jump), axis=0) >= -1e-9).all()
    assert (np.abs(way) <= np.abs(jump) + 1e-9).all()


@given(st.lists(floats(0.001, 1.0), min_size=1, max_size=12), floats(0.2, 10.0))
def test_uneven_frame_times_follow_the_filter_equation(steps_s: list[float], cutoff: float) -> None:
    """tau y' = x - y by backward differences: each step leaves tau / (tau + dt) of the difference."""
    parameters = OneEuro(cutoff, 0.0)
    times_s = np.cumsum([0.0, *steps_s])
    track = np.stack([face_points(), *[face_points((132.0, 112.0))] * len(steps_s)])
    tau = 1 / (2 * math.pi * cutoff)
    left = np.prod([tau / (tau + dt) for dt in steps_s])
    got = run(track, times_s, parameters)
    assert np.abs(track[-1] - got[-1] - [20 * left, 0]).max() < 1e-9


@given(seeds)
def test_after_a_long_gap_the_old_place_is_forgotten(seed: int) -> None:
    track = random_motion(seed, 3)
    got = run(track, np.array([0.0, 0.03, 1000.0]))
    # 1 / (1 + 2 pi f dt) of the step is left, f the cut-off at rest.
    left = 1 / (2 * math.pi * FILTER.rest_hz * 999)
    assert np.abs(got[-1] - track[-1]).max() < left * np.abs(track[-1] - got[1]).max() * 3


def test_a_mouth_that_opens_does_not_move_eyes_and_nose() -> None:
    track = np.repeat(face_points()[None], 20, axis=0)
    moving = [*range(6, 11), *PARTS["outer_lip"], *PARTS["inner_lip"]]
    track[:, moving, 1] += np.linspace(0, 15, 20)[:, None]
    got = run(track, np.arange(20) / 30)
    still = np.setdiff1d(np.arange(68), moving)
    assert np.abs(got[:, still] - face_points()[still]).max() < 1e-9
    assert (got[5:, 57, 1] > face_points()[57, 1]).all()


def test_one_eye_that_blinks_leaves_the_other_open() -> None:
    track = np.repeat(face_points()[None], 10, axis=0)
    track[3:6, [37, 38], 1] += 8
    got = run(track, np.arange(10) / 30)
    assert np.abs(got[:, 43:45] - track[:, 43:45]).max() < 1e-9
    assert (got[4, [37, 38], 1] - got[0, [37, 38], 1] > 6).all()


def test_noise_of_a_still_face_shrinks_and_high_shrinks_it_more() -> None:
    rng = np.random.default_rng(0)
    track = face_points() + rng.normal(0, 0.1, (200, 68, 2))
    left = {}
    for name in ("low", "high"):
        parameters = PRESETS[name]
        assert parameters is not None
        left[name] = run(track, np.arange(200) / 30, parameters)[50:].std(axis=0).mean()
    assert left["high"] < 0.75 * left["low"]
    assert left["low"] < 0.5 * 0.1


def test_points_that_all_coincide_are_filtered() -> None:
    track = np.zeros((5, 68, 2)) + np.arange(5)[:, None, None]
    got = run(track, np.arange(5) / 30)
    assert np.isfinite(got).all()
    assert (np.diff(got[:, 0, 0]) > 0).all()


def test_the_input_is_not_changed() -> None:
    points = face_points()
    copy = points.copy()
    smooth = PointFilter(FILTER)
    smooth(points, 0)[:] = 0
    smooth(points, 1)[:] = 0
    assert np.array_equal(points, copy)
    assert np.abs(smooth(points, 2) - copy).max() < 1e-9


@given(floats(0.1, 10), floats(-3, 3), floats(-100, 100), seeds)
def test_the_similarity_is_the_one_of_least_squares(scale: float, turn: float, x: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    source = face_points()
    target = scale * face_points((0.0, 0.0), roll=turn) + [x, 0] + rng.normal(0, 1, (68, 2))
    weights = np.zeros(68)
    weights[STEADY] = 3.0
    factor, shift = fit_similarity(source @ AS_COMPLEX, target @ AS_COMPLEX, weights)
    (a, _, c), (b, _, d) = similarity(source[STEADY], target[STEADY])
    assert factor == pytest.approx(a + 1j * b, abs=1e-9)
    assert shift == pytest.approx(c + 1j * d, abs=1e-7)


@pytest.mark.parametrize(
    "wrong",
    [(0, 1), (1, -1), (1, 1, 0), (1, 1, 1, -1), (math.nan, 1), (1, math.inf), (1, 1, math.nan)],
)
def test_parameters_out_of_range_are_refused(wrong: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="One-Euro"):
        OneEuro(*wrong)


@pytest.mark.parametrize("shape", [(67, 2), (68, 3), (68,), (1, 68, 2)])
def test_points_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\(68, 2\)"):
        PointFilter(FILTER)(np.zeros(shape), 0.0)
