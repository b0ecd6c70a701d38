"""Measurement of smoothings with trackers of known noise and lag."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from tests.shapes import face_points
from tracker.errors import MisuseError, SourceError
from tracker.geometry import Stretch
from tracker.reports.steadiness.figures import inter_ocular_px
from tracker.reports.steadiness.runs import (
    SCENES,
    PictureMeasures,
    VideoMeasures,
    check_scheme,
    kept_motion,
    measure_picture,
    measure_video,
)
from tracker.reports.steadiness.scenes import FPS, SPEED, Motion, Portrait
from tracker.scheme.ibug68 import IBUG68, PARTS
from tracker.scheme.shipped import SCHEMES
from tracker.tracking.smoothing import PRESETS
from tracker.types import FaceBox, FloatArray, Frame, FrameResult, Landmarks, TrackedFace

HW = (30, 36)
FACE = face_points((15.0, 14.0), 24.0)
"""Points of the face in the picture that is measured."""


def frame_result(frame: Frame, points: FloatArray | None, number: int = 1) -> FrameResult:
    faces = () if points is None else (TrackedFace(number, Landmarks(points)),)
    return FrameResult(faces, frame.index, frame.time_s, frame.source, frame.image_hw)


class LateNoisyTracker:
    """Tracker of one scene that lags ``late_frames`` and adds noise of ``noise_px`` to each coordinate.

    ``scene`` None is the first step, which finds the face. The face is lost in frame ``lost_at``.
    """

    def __init__(
        self, scene: Motion | None, late_frames: float, noise_px: FloatArray, lost_at: int | None
    ) -> None:
        self.scene, self.late_s, self.noise_px, self.lost_at = scene, late_frames / FPS, noise_px, lost_at
        self.rng = np.random.default_rng(5)

    def step(self, frame: Frame) -> FrameResult:
        if self.scene is None or frame.index == self.lost_at:
            return frame_result(frame, FACE if self.scene is None and self.lost_at != 0 else None)
        portrait = Portrait.around(np.zeros((*HW, 3), np.uint8), FaceBox.around(FACE))
        centre = np.array([(side - 1) / 2 for side in portrait.size])
        at_rest = FACE - FaceBox.around(FACE).center + centre
        (truth,) = portrait.carry(at_rest, self.scene, np.array([frame.time_s - self.late_s]))
        return frame_result(frame, truth + self.noise_px * self.rng.normal(size=(68, 2)))


def measured(
    late: float = 0.0, noise_px: FloatArray | float = 0.0, lost_at: int | None = None, preset: str = "off"
) -> PictureMeasures:
    scenes = iter((None, *SCENES))
    noise = np.broadcast_to(noise_px, (68, 1))
    steps: list[int] = []
    (row,) = measure_picture(
        np.zeros((*HW, 3), np.uint8),
        "x.png",
        lambda: LateNoisyTracker(next(scenes), late, noise, lost_at),
        [preset],
        lambda: steps.append(1),
    )
    assert len(steps) == sum(scene.frames for scene in SCENES)
    return row


@pytest.mark.parametrize("late", [-1.3, 0.0, 0.5, 2.25])
def test_a_known_lag_and_its_error_are_measured(late: float) -> None:
    row = measured(late)
    width, eyes = np.ptp(FACE[:, 0]), np.linalg.norm(FACE[36] - FACE[45])
    assert row.slide_lag == pytest.approx(late, abs=1e-6)
    assert row.slide_error == pytest.approx(100 * abs(late) / FPS * SPEED * width / eyes, abs=1e-6)
    # The cost is not a parabola here: the rest is its third-order term over a hundredth of a second.
    assert row.sway_lag == pytest.approx(late, abs=0.005)
    assert row.jitter == pytest.approx(0, abs=1e-9)


def test_known_noise_is_measured_as_jitter_and_not_as_lag() -> None:
    row = measured(noise_px=0.1)
    eyes = np.linalg.norm(FACE[36] - FACE[45])
    # 68 points x 105 frames x 2: the standard error of a deviation is 0.6 %.
    assert row.jitter == pytest.approx(100 * 0.1 * math.sqrt(2) / eyes, rel=0.02)
    assert row.jitter_point < 1.3 * row.jitter
    assert row.sway_error == pytest.approx(100 * 0.1 * math.sqrt(math.pi / 2) / eyes, rel=0.03)
    assert row.slide_lag == pytest.approx(0, abs=0.02)
    assert row.sway_lag == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("part", ["left_brow", "inner_lip"])
def test_the_worst_part_and_the_worst_point_are_found(part: str) -> None:
    noise = np.full((68, 1), 0.1)
    noise[PARTS[part]] = 0.2
    noise[30] = 0.3
    row = measured(noise_px=noise)
    eyes = np.linalg.norm(FACE[36] - FACE[45])
    assert row.part == part
    assert row.jitter_part == pytest.approx(100 * 0.2 * math.sqrt(2) / eyes, rel=0.1)
    assert row.jitter_point == pytest.approx(100 * 0.3 * math.sqrt(2) / eyes, rel=0.15)


def test_smoothing_reduces_jitter_and_adds_lag() -> None:
    rows = {preset: measured(late=1.0, noise_px=0.05, preset=preset) for preset in PRESETS}
    assert rows["high"].jitter < rows["low"].jitter < 0.6 * rows["off"].jitter
    assert 1.0 < rows["low"].slide_lag < rows["high"].slide_lag
    assert rows["high"].kept.blink_kept < rows["low"].kept.blink_kept < 100


def test_a_missing_or_lost_face_is_one_line_of_error() -> None:
    with pytest.raises(SourceError, match=r"^no face is found in x\.png: "):
        measured(lost_at=0)
    with pytest.raises(SourceError, match=r"^the face in x\.png is lost under noise: "):
        measured(lost_at=7)


def test_no_smoothing_keeps_blinks_and_speech() -> None:
    assert kept_motion("off", face_points()).blink_kept == 100
    assert kept_motion("off", face_points()).speech_kept == 100


def test_low_smoothing_keeps_90_percent_of_blinks_and_speech() -> None:
    for size in (60.0, 300.0):
        kept = kept_motion("low", face_points(size=size))
        assert kept.blink_kept >= 90
        assert kept.speech_kept >= 90


class Playback:
    """Tracker that returns the given ``(id, points)`` or None, frame by frame."""

    def __init__(self, results: list[tuple[int, FloatArray] | None]) -> None:
        self.results = results

    def step(self, frame: Frame) -> FrameResult:
        now = self.results[frame.index]
        return frame_result(frame, now[1] if now else None, now[0] if now else 1)


def blank_frames(count: int, fps: float = 30.0) -> Iterator[Frame]:
    for index in range(count):
        yield Frame(np.zeros((4, 4, 3), np.uint8), index, index / fps)


def test_a_video_is_measured_on_the_longest_stretch_of_one_face() -> None:
    times_s = np.arange(200) / FPS
    face = face_points()
    shaken = face.copy()[None] + np.sin(2 * np.pi * 8 * times_s)[:, None, None] * [0, 1.0]
    results: list[tuple[int, FloatArray] | None] = [(1, face + i) for i in range(40)]
    results += [(2, points) for points in shaken[40:140]]
    results += [None, *((2, face - i) for i in range(59))]
    steps: list[int] = []
    (off, high) = measure_video(
        blank_frames(200), "v.mp4", lambda: Playback(results), ["off", "high"], lambda: steps.append(1)
    )
    assert len(steps) == 200
    assert (off.frames, high.frames) == (100, 100)
    assert off.fast_points == pytest.approx(0, abs=1e-6)
    assert off.fast_head == pytest.approx(100 / math.sqrt(2) / inter_ocular_px(shaken), rel=0.01)
    assert high.fast_head < 0.9 * off.fast_head


@pytest.mark.parametrize(
    ("results", "fps", "words"),
    [
        ([None] * 50, 30.0, r"^v\.mp4 shows no face: "),
        (
            [(1, FACE)] * 31 + [None] + [(1, FACE)] * 18,
            30.0,
            r"^v\.mp4 shows a face for 31 frames on end, 32 ",
        ),
        ([(1, FACE)] * 50, 9.9, r"^v\.mp4 has too few frames a second "),
        ([], 30.0, r"^v\.mp4 shows no face: "),
    ],
)
def test_videos_that_cannot_be_measured_are_one_line_of_error(
    results: list[tuple[int, FloatArray] | None], fps: float, words: str
) -> None:
    with pytest.raises(SourceError, match=words):
        measure_video(
            blank_frames(len(results), fps), "v.mp4", lambda: Playback(results), ["off"], lambda: None
        )


def test_a_squeezed_video_is_measured_in_square_pixels() -> None:
    """The same motion, stored at half its width, is the same in per cent inter-ocular."""
    points, rng = face_points((160, 120), 100), np.random.default_rng(3)
    moving = [points + rng.normal(0, 0.5, points.shape) for _ in range(64)]

    def measure(aspect: float) -> VideoMeasures:
        stretch = Stretch.of(aspect)
        tracker = Playback([(1, stretch.to_stored(one)) for one in moving])
        frames = (replace(frame, pixel_aspect=aspect) for frame in blank_frames(64))
        (off,) = measure_video(frames, "a.mp4", lambda: tracker, ["off"], lambda: None)
        return off

    assert measure(2.0).fast_points == pytest.approx(measure(1.0).fast_points)
    assert measure(2.0).fast_head == pytest.approx(measure(1.0).fast_head)


def test_points_whose_eyes_and_mouth_cannot_be_moved_are_refused_in_one_line() -> None:
    check_scheme(IBUG68)
    with pytest.raises(MisuseError, match=r"ibug68, and the model finds wflw98 \(98 points\): take"):
        check_scheme(SCHEMES["wflw98"])
