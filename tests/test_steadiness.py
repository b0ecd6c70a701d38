"""Measures of steadiness against tracks whose jitter, lag and loss are known."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faces import astronaut
from tests.shapes import face_points
from tests.strategies import floats
from tracker.bench.clip import write_clip
from tracker.errors import SourceError
from tracker.landmarker import FakeLandmarker
from tracker.pipeline import FaceTracker, TrackerSettings
from tracker.smoothing import PRESETS, OneEuro
from tracker.steadiness import measures, scenes
from tracker.steadiness.run import longest_run, on_picture, on_video
from tracker.types import FaceBox, FloatArray, Frame, FrameResult, ImageArray, Landmarks, TrackedFace

FACE = face_points((160, 120), 120)
IOD = float(np.linalg.norm(FACE[36] - FACE[45]))


def swinging(count: int = 120) -> FloatArray:
    return np.asarray(FACE + scenes.swing(120, count)[:, None])


@given(floats(0.01, 3), st.integers(0, 1000))
def test_jitter_is_the_standard_deviation_of_the_noise(sigma: float, seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, sigma, (2000, 68, 2))
    found = measures.jitter_percent(FACE + noise)
    # Two coordinates: sqrt(2) sigma. Of 4000 draws a point, five standard errors are 5.6 %.
    assert found == pytest.approx(np.full(68, 100 * np.sqrt(2) * sigma / IOD), rel=0.07)


def test_a_face_that_does_not_move_has_no_jitter() -> None:
    still = np.repeat(FACE[None], 5, axis=0)
    assert measures.jitter_percent(still) == pytest.approx(np.zeros(68), abs=1e-12)


@given(floats(0, 5), floats(-50, 50))
def test_a_known_delay_is_told_to_a_hundredth_of_a_frame(lag: float, apart: float) -> None:
    truth = swinging()
    frames = np.arange(len(truth))
    x = np.interp(frames - lag, frames, truth[:, 0, 0] - FACE[0, 0])
    late = FACE + np.stack([x + apart, np.zeros_like(x)], axis=-1)[:, None]
    assert measures.lag_frames(late, truth) == pytest.approx(lag, abs=0.006)


def test_noise_beside_the_lag_does_not_move_it() -> None:
    truth = swinging()
    late = np.concatenate([truth[:2], truth[:-2]])
    noise = np.random.default_rng(0).normal(0, 1, late.shape)
    # The mean of 68 points moves by 0.12 px of noise, the head by up to 2 px a frame.
    assert measures.lag_frames(late + noise, truth) == pytest.approx(2, abs=0.05)


@given(floats(-20, 20), floats(-20, 20))
def test_error_is_the_distance(x: float, y: float) -> None:
    truth = swinging()
    expected = 100 * np.hypot(x, y) / IOD
    shifted = truth + np.array([x, y])
    assert measures.error_percent(shifted, truth) == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_eyes_blink_once_a_second_and_close() -> None:
    opening = measures.eye_opening(scenes.blinks(FACE, 90)) / measures.eye_opening(FACE[None])
    assert opening.max() == pytest.approx(1)
    assert opening.min() == pytest.approx(0, abs=1e-9)
    starts = np.flatnonzero((opening[:-1] > 1 - 1e-9) & (opening[1:] < 1 - 1e-9))
    assert np.diff(starts).tolist() == [30, 30]
    still = np.delete(np.arange(68), [37, 38, 40, 41, 43, 44, 46, 47])
    assert np.array_equal(scenes.blinks(FACE, 90)[:, still], np.repeat(FACE[None, still], 90, axis=0))


def test_the_mouth_opens_downwards_by_a_sixth_of_its_width() -> None:
    track = scenes.speech(FACE, 60)
    opening = measures.mouth_opening(track)
    width = np.linalg.norm(FACE[48] - FACE[54])
    assert np.ptp(opening) == pytest.approx(width / 6, rel=0.01)
    assert (track[:, 8, 1] >= FACE[8, 1] - 1e-9).all()
    middle = (opening.min() + opening.max()) / 2
    assert np.count_nonzero((opening[:-1] < middle) & (opening[1:] >= middle)) == 10  # 5 Hz for 2 s


def test_what_is_kept_is_a_share_of_the_range() -> None:
    wave = np.sin(np.arange(100) / 5)
    assert measures.kept_percent(wave, 0.9 * wave + 3) == pytest.approx(90)


@given(floats(0.1, 3), st.integers(6, 14))
def test_fast_motion_is_what_lies_above_5_hz(amplitude: float, hertz: int) -> None:
    times_s = np.arange(90) / 30
    drift = np.array([30.0, -10.0]) * times_s[:, None, None]
    slow = 5 * np.sin(2 * np.pi * times_s)[:, None, None]
    fast = amplitude * np.sin(2 * np.pi * hertz * times_s)[:, None, None] * np.array([1.0, 0.0])
    quiet = measures.fast_motion_percent(FACE + drift + slow, times_s)
    found = measures.fast_motion_percent(FACE + drift + slow + fast, times_s)
    expected = 100 * amplitude / np.sqrt(2) / IOD
    # Whole periods do not leak between frequencies; the line that is taken off does, a little.
    assert found == pytest.approx(expected, abs=quiet + 0.1 * expected)
    assert quiet < 0.5


def test_too_few_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="16 frames"):
        measures.fast_motion_percent(np.repeat(FACE[None], 15, axis=0), np.arange(15) / 30)


def test_the_truth_of_a_moved_picture_is_the_shift() -> None:
    """A disc of light moves by what :func:`scenes.swing` says, as far as its centre of mass can tell."""
    image = np.zeros((120, 160, 3), np.uint8)
    cv2.circle(image, (80, 60), 12, (200, 200, 200), -1, cv2.LINE_AA)
    shifts = scenes.swing(60, 31)
    rows, columns = np.indices(image.shape[:2])
    for frame, (x, _) in zip(scenes.moving(image, shifts), shifts, strict=True):
        light = np.where(frame.image_bgr[..., 0] > 60, frame.image_bgr[..., 0], 0).astype(float)
        assert (light * columns).sum() / light.sum() == pytest.approx(80 + x, abs=0.15)
        assert (light * rows).sum() / light.sum() == pytest.approx(60, abs=0.15)


def test_noise_has_its_strength_and_is_fresh_in_every_frame() -> None:
    first, second = scenes.still(np.full((64, 64, 3), 128, np.uint8), 2)
    for frame in (first, second):
        # Rounding adds 1/12; of 12288 values, five standard errors are 3.2 %.
        assert frame.image_bgr.std() == pytest.approx(np.sqrt(scenes.NOISE**2 + 1 / 12), rel=0.033)
    assert not np.array_equal(first.image_bgr, second.image_bgr)


def test_the_default_smoothing_is_steady_quick_and_spares_blinks() -> None:
    """Points as noisy as the shipped model's on a still face, 0.13 % of the inter-ocular distance."""
    rng = np.random.default_rng(0)
    sigma = 0.13 / 100 * IOD / np.sqrt(2)
    times_s = np.arange(240) / scenes.FPS
    low = PRESETS["low"]
    still = measures.smoothed(FACE + rng.normal(0, sigma, (240, 68, 2)), times_s, low)
    assert measures.jitter_percent(still[30:]).max() < 0.12
    moving = swinging(240)
    late = measures.smoothed(moving + rng.normal(0, sigma, moving.shape), times_s, low)
    assert measures.lag_frames(late, moving) < 1
    blinks = scenes.blinks(FACE, 240)
    opened, kept = (measures.eye_opening(t) for t in (blinks, measures.smoothed(blinks, times_s, low)))
    assert measures.kept_percent(opened, kept) > 90


def test_more_smoothing_is_steadier_and_later() -> None:
    noise = np.random.default_rng(1).normal(0, 0.2, (240, 68, 2))
    times_s, truth = np.arange(240) / scenes.FPS, swinging(240)
    settings = [None, OneEuro(5.0, 40.0), OneEuro(2.0, 20.0), OneEuro(0.5, 5.0)]
    jitter = [measures.jitter_percent(measures.smoothed(FACE + noise, times_s, s)).mean() for s in settings]
    lags = [measures.lag_frames(measures.smoothed(truth, times_s, s), truth) for s in settings]
    assert jitter == sorted(jitter, reverse=True)
    assert lags == sorted(lags)
    assert lags[0] == pytest.approx(0, abs=0.006)


class OneFace:
    """A detector that always sees the face of these tests."""

    def detect(self, image_bgr: ImageArray, turn: int | None = None) -> list[FaceBox]:  # noqa: ARG002
        return [FaceBox.around(FACE)]


class NoFace:
    def detect(self, image_bgr: ImageArray, turn: int | None = None) -> list[FaceBox]:  # noqa: ARG002
        return []


def test_a_tracker_that_stays_behind_is_steady_and_wrong() -> None:
    """Its points are the same in every crop, and the crop is where they are: it never moves."""
    landmarker = FakeLandmarker(np.asarray(face_points((111.5, 111.5), 224 / 1.35), np.float32))

    def make() -> FaceTracker:
        return FaceTracker(OneFace(), landmarker, TrackerSettings(max_faces=1))

    off, *_ = on_picture(np.zeros((240, 320, 3), np.uint8), "fake", make, 60)
    assert off.smoothing == "off"
    assert off.jitter_mean < 0.01
    # A swing at 0.5 face widths a second and 0.5 Hz goes 0.16 widths to each side: 0.1 of them on average.
    assert off.error == pytest.approx(100 * 2 / np.pi * 0.159 * 120 / IOD, rel=0.3)
    assert off.blink_kept == pytest.approx(100)
    assert off.speech_kept == pytest.approx(100, abs=0.1)


def test_a_picture_without_a_face_is_refused() -> None:
    tracker = FaceTracker(NoFace(), FakeLandmarker(np.zeros((68, 2), np.float32)))
    with pytest.raises(SourceError, match=r"no face is found in wall\.png"):
        on_picture(np.zeros((48, 64, 3), np.uint8), "wall.png", lambda: tracker, 60)


class Scripted(FaceTracker):
    """Answers with one face of the given id a frame, or none for 0."""

    def __init__(self, ids: list[int]) -> None:
        self._ids = iter(ids)

    def step(self, frame: Frame) -> FrameResult:
        number = next(self._ids)
        faces = (TrackedFace(number, Landmarks(FACE)),) if number else ()
        return FrameResult(faces, frame.index, frame.time_s, "", frame.image_hw)


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([1, 1, 1], [0, 1, 2]),
        ([1, 0, 1, 1], [2, 3]),
        ([1, 1, 2, 2, 2, 1], [2, 3, 4]),
        ([0, 0], []),
        ([], []),
    ],
)
def test_the_longest_unbroken_run_is_taken(ids: list[int], expected: list[int]) -> None:
    frames = [Frame(np.zeros((4, 4, 3), np.uint8), i, i / 30) for i in range(len(ids))]
    times_s, track = longest_run(frames, Scripted(ids))
    assert times_s.tolist() == [i / 30 for i in expected]
    assert track.shape == (len(expected), 68, 2)


def test_a_video_without_a_face_is_refused(tmp_path: Path) -> None:
    write_clip(tmp_path / "v.mp4", 20, (320, 240))
    with pytest.raises(SourceError, match=r"v\.mp4 shows no face for 16 frames on end"):
        on_video(tmp_path / "v.mp4", lambda: Scripted([0] * 20), 20)
    rows = on_video(tmp_path / "v.mp4", lambda: Scripted([1] * 20), 18)
    assert [(row.smoothing, row.frames) for row in rows] == [(name, 18) for name in PRESETS]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tracker.steadiness", *map(str, arguments), "--backend", "cpu"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_judges_the_portrait(tmp_path: Path) -> None:
    done = run("--frames", 60, "--json", tmp_path / "s.json")
    assert done.returncode == 0, done.stderr
    rows = {row["smoothing"]: row for row in json.loads((tmp_path / "s.json").read_text())["rows"]}
    assert list(rows) == list(PRESETS)
    assert rows["low"]["jitter_mean"] < rows["off"]["jitter_mean"]
    assert rows["low"]["lag_frames"] <= 1
    assert rows["low"]["blink_kept"] >= 90


def test_bad_sources_are_one_line(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "black.png"), np.zeros_like(astronaut()))
    (tmp_path / "v.mp4").write_bytes(b"no video")
    for name in ("black.png", "v.mp4", "none.jpg"):
        done = run(tmp_path / name)
        assert done.returncode == 1
        assert done.stderr.startswith("steadiness: ")
        assert done.stderr.count("\n") == 1
        assert name in done.stderr
