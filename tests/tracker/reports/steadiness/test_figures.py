"""Measures of tracks with known jitter, lag and motion."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shapes import canonical_points, face_points
from tests.strategies import floats
from tracker.inference.detection.detector import FakeDetector
from tracker.inference.landmarker import Located
from tracker.reports.steadiness.figures import (
    error_percent,
    fast_percent,
    inter_ocular_px,
    jitter_percent,
    kept_percent,
    lag_s,
    smoothed,
    split_head_motion,
)
from tracker.reports.steadiness.scenes import FPS
from tracker.scheme.ibug68 import IBUG68
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.settings import TrackerSettings
from tracker.tracking.smoothing import PRESETS, OneEuro
from tracker.types import FaceBox, FloatArray, Frame, ImageArray


class NoisyLandmarker:
    """Landmarker that returns the canonical face with new noise for each batch."""

    scheme = IBUG68

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)

    def locate(self, crops: ImageArray) -> Located:
        points: FloatArray = canonical_points() + self.rng.normal(0, 2, (len(crops), 68, 2))
        return Located(points, np.ones(len(crops)))


@pytest.mark.parametrize("preset", ["low", "high"])
def test_smoothed_equals_the_output_of_the_tracker(preset: str) -> None:
    frames = [Frame(np.zeros((100, 100, 3), np.uint8), i, i / 25) for i in range(20)]

    def track(smoothing: OneEuro | None) -> FloatArray:
        settings = TrackerSettings(max_faces=1, smoothing=smoothing)
        tracker = FaceTracker(FakeDetector(FaceBox(20, 20, 80, 80)), NoisyLandmarker(), settings)
        return np.stack([tracker.step(frame).faces[0].landmarks.points_frame for frame in frames])

    times_s = np.array([frame.time_s for frame in frames])
    assert np.array_equal(smoothed(track(None), times_s, PRESETS[preset]), track(PRESETS[preset]))


@given(floats(0.5, 8.0))
def test_the_lag_of_a_fixed_low_pass_is_its_time_constant(cutoff_hz: float) -> None:
    """On a ramp, x(t - tau) satisfies y' tau = x - y, also with backward differences."""
    speed = np.array([60.0, -25.0])

    def truth_at(times_s: FloatArray) -> FloatArray:
        return np.asarray(face_points() + times_s[:, None, None] * speed)

    times_s = np.arange(300) / FPS
    track = smoothed(truth_at(times_s), times_s, OneEuro(cutoff_hz, 0.0))
    tau = 1 / (2 * math.pi * cutoff_hz)
    assert lag_s(track[200:], times_s[200:], truth_at) == pytest.approx(tau, abs=1e-6)
    error = 100 * tau * np.linalg.norm(speed) / inter_ocular_px(track)
    assert error_percent(track[200:], truth_at(times_s)[200:]) == pytest.approx(error, rel=1e-6)


def test_jitter_is_measured_for_each_point() -> None:
    track = np.repeat(face_points()[None], 10, axis=0)
    track[::2, 5] += [3, 4]
    expected = np.zeros(68)
    expected[5] = 100 * 2.5 / inter_ocular_px(track)
    assert jitter_percent(track) == pytest.approx(expected, abs=1e-9)


@given(floats(0.5, 14.0), st.integers(60, 400))
def test_fast_motion_is_that_above_five_hertz(hz: float, count: int) -> None:
    times_s = np.arange(count) / FPS
    # The window blurs the edge by two lines of the spectrum.
    near = abs(hz - 5) < 3 * FPS / count or hz > 15 - 3 * FPS / count
    wave = 2 * np.sin(2 * np.pi * hz * times_s + 1)
    track = face_points() + wave[:, None, None] * [1, 0]
    expected = 100 * 2 / math.sqrt(2) / inter_ocular_px(track) if hz > 5 else 0
    if not near:
        assert fast_percent(track, times_s) == pytest.approx(expected, abs=0.05)


def test_motion_of_head_and_points_is_separated() -> None:
    """The head swings and turns at 6 Hz, two points of an eye move up and down at 9 Hz."""
    times_s = np.arange(240) / FPS
    wave, quick = (np.sin(2 * np.pi * hz * times_s)[:, None, None] for hz in (6, 9))
    turn = np.exp(0.02j * wave[..., 0])
    face = face_points((0.0, 0.0)) @ [1, 1j]
    moved = (face * turn)[..., None] * [1, -1j]
    head_only = moved.real + 2 * wave * [0.6, 0.8] + 100
    head, points = split_head_motion(head_only)
    assert np.abs(head - head_only).max() < 1e-9
    assert np.abs(points - head_only[0]).max() < 1e-9
    assert fast_percent(points, times_s) < 1e-6
    alone = fast_percent(head, times_s)
    assert alone == pytest.approx(fast_percent(head_only, times_s), rel=1e-9)

    both = head_only.copy()
    both[:, 37] += quick[:, 0] * [0, 1]
    both[:, 40] -= quick[:, 0] * [0, 1]
    head, points = split_head_motion(both)
    expected = 100 * math.sqrt(2 / 68) / math.sqrt(2) / inter_ocular_px(both)
    # Two points against each other hardly turn the best similarity of 68.
    assert fast_percent(points, times_s) == pytest.approx(expected, rel=0.03)
    assert fast_percent(head, times_s) == pytest.approx(alone, rel=0.03)


@pytest.mark.parametrize(("count", "fps"), [(31, 30.0), (100, 9.9), (0, 30.0)])
def test_too_few_frames_or_too_low_a_frame_rate_is_refused(count: int, fps: float) -> None:
    with pytest.raises(ValueError, match="32 frames at more than 10 a second"):
        fast_percent(np.repeat(face_points()[None], count, axis=0), np.arange(count) / fps)


def test_kept_percent_is_the_share_of_the_range() -> None:
    before = np.array([3.0, 1.0, 2.0])
    assert kept_percent(before, before) == 100
    assert kept_percent(before, before / 4 + 9) == 25
