"""The measure measured: trackers whose noise and lateness are known, and the command as users run it."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faces import astronaut
from tests.media import face_video
from tests.shapes import canonical_points, face_points
from tests.strategies import floats
from tracker.errors import SourceError
from tracker.inference.detection.detector import FakeDetector
from tracker.inference.landmarker import Located
from tracker.reports.steadiness.figures import (
    apart_from_head,
    error_percent,
    fast_percent,
    inter_ocular_px,
    jitter_percent,
    kept_percent,
    lag_s,
    smoothed,
)
from tracker.reports.steadiness.runs import SCENES, OnPicture, living, on_picture, on_video
from tracker.reports.steadiness.scenes import (
    FPS,
    LARGEST_FACE,
    NOISE,
    REST,
    SLIDE,
    SPEED,
    SWAY,
    Motion,
    Portrait,
    blink,
    eye_opening,
    mouth_opening,
    speech,
)
from tracker.scheme import PARTS
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.settings import TrackerSettings
from tracker.tracking.smoothing import PRESETS, OneEuro
from tracker.types import FaceBox, FloatArray, Frame, FrameResult, ImageArray, Landmarks, TrackedFace

REPO = Path(__file__).resolve().parents[3]
HW = (30, 36)
FACE = face_points((15.0, 14.0), 24.0)
"""Where the face is in the picture that the fake trackers are shown."""


def answer(frame: Frame, points: FloatArray | None, number: int = 1) -> FrameResult:
    faces = () if points is None else (TrackedFace(number, Landmarks(points)),)
    return FrameResult(faces, frame.index, frame.time_s, frame.source, frame.image_hw)


class Fake:
    """A tracker of one scene, ``late_frames`` behind the truth, with ``noise_px`` on each coordinate."""

    def __init__(
        self, scene: Motion | None, late_frames: float, noise_px: FloatArray, lost_at: int | None
    ) -> None:
        self.scene, self.late_s, self.noise_px, self.lost_at = scene, late_frames / FPS, noise_px, lost_at
        self.rng = np.random.default_rng(5)

    def step(self, frame: Frame) -> FrameResult:
        if self.scene is None or frame.index == self.lost_at:
            return answer(frame, FACE if self.scene is None and self.lost_at != 0 else None)
        portrait = Portrait.around(np.zeros((*HW, 3), np.uint8), FaceBox.around(FACE))
        middle = np.array([(side - 1) / 2 for side in portrait.size])
        at_rest = FACE - FaceBox.around(FACE).center + middle
        (truth,) = portrait.carry(at_rest, self.scene, np.array([frame.time_s - self.late_s]))
        return answer(frame, truth + self.noise_px * self.rng.normal(size=(68, 2)))


def judge(
    late: float = 0.0, noise_px: FloatArray | float = 0.0, lost_at: int | None = None, preset: str = "off"
) -> OnPicture:
    scenes = iter((None, *SCENES))
    noise = np.broadcast_to(noise_px, (68, 1))
    steps: list[int] = []
    (row,) = on_picture(
        np.zeros((*HW, 3), np.uint8),
        "x.png",
        lambda: Fake(next(scenes), late, noise, lost_at),
        [preset],
        lambda: steps.append(1),
    )
    assert len(steps) == sum(scene.frames for scene in SCENES)
    return row


@pytest.mark.parametrize("late", [-1.3, 0.0, 0.5, 2.25])
def test_a_known_lag_is_measured_and_its_error(late: float) -> None:
    row = judge(late)
    width, eyes = np.ptp(FACE[:, 0]), np.linalg.norm(FACE[36] - FACE[45])
    assert row.slide_lag == pytest.approx(late, abs=1e-6)
    assert row.slide_error == pytest.approx(100 * abs(late) / FPS * SPEED * width / eyes, abs=1e-6)
    # The cost is no parabola here: what is left is its third order over a hundredth of a second.
    assert row.sway_lag == pytest.approx(late, abs=0.005)
    assert row.jitter == pytest.approx(0, abs=1e-9)


def test_known_noise_is_measured_and_is_no_lag() -> None:
    row = judge(noise_px=0.1)
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
    row = judge(noise_px=noise)
    eyes = np.linalg.norm(FACE[36] - FACE[45])
    assert row.part == part
    assert row.jitter_part == pytest.approx(100 * 0.2 * math.sqrt(2) / eyes, rel=0.1)
    assert row.jitter_point == pytest.approx(100 * 0.3 * math.sqrt(2) / eyes, rel=0.15)


def test_smoothing_is_seen_to_steady_and_to_delay() -> None:
    rows = {preset: judge(late=1.0, noise_px=0.05, preset=preset) for preset in PRESETS}
    assert rows["high"].jitter < rows["low"].jitter < 0.6 * rows["off"].jitter
    assert 1.0 < rows["low"].slide_lag < rows["high"].slide_lag
    assert rows["high"].living.blink_kept < rows["low"].living.blink_kept < 100


def test_a_face_that_is_lost_or_never_there_is_one_line() -> None:
    with pytest.raises(SourceError, match=r"^no face is found in x\.png: "):
        judge(lost_at=0)
    with pytest.raises(SourceError, match=r"^the face in x\.png is lost under noise: "):
        judge(lost_at=7)


class NoisyLandmarker:
    """Answers each batch with the canonical face, moved anew."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)

    def locate(self, crops: ImageArray) -> Located:
        points = canonical_points() + self.rng.normal(0, 2, (len(crops), 68, 2))
        return Located(points, np.ones(len(crops)))


@pytest.mark.parametrize("preset", ["low", "high"])
def test_what_is_judged_is_what_the_tracker_reports(preset: str) -> None:
    frames = [Frame(np.zeros((100, 100, 3), np.uint8), i, i / 25) for i in range(20)]

    def track(smoothing: OneEuro | None) -> FloatArray:
        settings = TrackerSettings(max_faces=1, smoothing=smoothing)
        tracker = FaceTracker(FakeDetector(FaceBox(20, 20, 80, 80)), NoisyLandmarker(), settings)
        return np.stack([tracker.step(frame).faces[0].landmarks.points_frame for frame in frames])

    times_s = np.array([frame.time_s for frame in frames])
    assert np.array_equal(smoothed(track(None), times_s, PRESETS[preset]), track(PRESETS[preset]))


@given(floats(0.5, 8.0))
def test_the_lag_of_a_fixed_low_pass_is_its_time_constant(cutoff_hz: float) -> None:
    """On a ramp: y' tau = x - y is satisfied by x(t - tau), by backward differences as well."""
    speed = np.array([60.0, -25.0])

    def truth_at(times_s: FloatArray) -> FloatArray:
        return face_points() + times_s[:, None, None] * speed

    times_s = np.arange(300) / FPS
    track = smoothed(truth_at(times_s), times_s, OneEuro(cutoff_hz, 0.0))
    tau = 1 / (2 * math.pi * cutoff_hz)
    assert lag_s(track[200:], times_s[200:], truth_at) == pytest.approx(tau, abs=1e-6)
    error = 100 * tau * np.linalg.norm(speed) / inter_ocular_px(track)
    assert error_percent(track[200:], truth_at(times_s)[200:]) == pytest.approx(error, rel=1e-6)


def test_jitter_of_each_point_is_its_own() -> None:
    track = np.repeat(face_points()[None], 10, axis=0)
    track[::2, 5] += [3, 4]
    expected = np.zeros(68)
    expected[5] = 100 * 2.5 / inter_ocular_px(track)
    assert jitter_percent(track) == pytest.approx(expected, abs=1e-9)


@given(floats(0.5, 14.0), st.integers(60, 400))
def test_only_what_is_faster_than_five_hertz_counts(hz: float, count: int) -> None:
    times_s = np.arange(count) / FPS
    # The window blurs the edge by two lines of the spectrum.
    near = abs(hz - 5) < 3 * FPS / count or hz > 15 - 3 * FPS / count
    wave = 2 * np.sin(2 * np.pi * hz * times_s + 1)
    track = face_points() + wave[:, None, None] * [1, 0]
    expected = 100 * 2 / math.sqrt(2) / inter_ocular_px(track) if hz > 5 else 0
    if not near:
        assert fast_percent(track, times_s) == pytest.approx(expected, abs=0.05)


def test_head_and_points_are_told_apart() -> None:
    """The head swings and turns at 6 Hz, all points of an eye and of a brow go up and down at 9 Hz."""
    times_s = np.arange(240) / FPS
    wave, quick = (np.sin(2 * np.pi * hz * times_s)[:, None, None] for hz in (6, 9))
    turn = np.exp(0.02j * wave[..., 0])
    face = face_points((0.0, 0.0)) @ [1, 1j]
    moved = (face * turn)[..., None] * [1, -1j]
    head_only = moved.real + 2 * wave * [0.6, 0.8] + 100
    head, points = apart_from_head(head_only)
    assert np.abs(head - head_only).max() < 1e-9
    assert np.abs(points - head_only[0]).max() < 1e-9
    assert fast_percent(points, times_s) < 1e-6
    alone = fast_percent(head, times_s)
    assert alone == pytest.approx(fast_percent(head_only, times_s), rel=1e-9)

    both = head_only.copy()
    both[:, 37] += quick[:, 0] * [0, 1]
    both[:, 40] -= quick[:, 0] * [0, 1]
    head, points = apart_from_head(both)
    expected = 100 * math.sqrt(2 / 68) / math.sqrt(2) / inter_ocular_px(both)
    # Two points against each other hardly turn the best similarity of 68.
    assert fast_percent(points, times_s) == pytest.approx(expected, rel=0.03)
    assert fast_percent(head, times_s) == pytest.approx(alone, rel=0.03)


@pytest.mark.parametrize(("count", "fps"), [(31, 30.0), (100, 9.9), (0, 30.0)])
def test_too_little_to_tell_fast_from_slow(count: int, fps: float) -> None:
    with pytest.raises(ValueError, match="32 frames at more than 10 a second"):
        fast_percent(np.repeat(face_points()[None], count, axis=0), np.arange(count) / fps)


@pytest.mark.parametrize(
    ("motion", "width", "frames"), [*((scene, 60.0, 90) for scene in SCENES), (SWAY, 2.0 * LARGEST_FACE, 18)]
)
def test_frames_show_the_picture_where_the_truth_says(motion: Motion, width: float, frames: int) -> None:
    """A blob in the picture, off the middle of the face: in a frame its centre is the carried point."""
    middle, sigma = np.array([1.1 * width, 0.9 * width]), width / 20
    spot = middle + width * np.array([0.3, -0.2])
    ys, xs = np.mgrid[: round(2.2 * width), : round(2.2 * width)]
    blob = 60 + 150 * np.exp(-((xs - spot[0]) ** 2 + (ys - spot[1]) ** 2) / (2 * sigma**2))
    image = np.repeat(np.rint(blob).astype(np.uint8)[..., None], 3, axis=2)
    corner = middle - width / 2
    portrait = Portrait.around(image, FaceBox(*corner, *(corner + width)))
    scale = portrait.width / width
    assert scale == pytest.approx(min(1.0, LARGEST_FACE / width))
    at_rest = scale * (spot - middle) + [(side - 1) / 2 for side in portrait.size]
    truth = portrait.carry(at_rest[None], motion, motion.times_s)[:, 0]
    off = []
    for frame in islice(portrait.frames(motion), 0, frames, frames // 6):
        x, y = truth[frame.index]
        height, wide = frame.image_hw
        assert (wide, height) == portrait.size
        weight = frame.image_bgr[..., 0] - 60.0
        ys, xs = np.mgrid[:height, :wide]
        weight[np.hypot(xs - x, ys - y) > 4 * scale * sigma] = 0
        off.append([(weight * (xs - x)).sum() / weight.sum(), (weight * (ys - y)).sum() / weight.sum()])
    # Noise of 4 moves this centre by 0.06 px, whatever sigma: 4 * sqrt(pi * 4**4 / 4) / (150 * 2 * pi).
    assert np.abs(off).max() < 5 * 0.06
    assert np.abs(np.mean(off, axis=0)).max() < 4 * 0.06 / math.sqrt(len(off))


def test_the_noise_is_what_it_says_fresh_in_each_frame_and_the_same_each_time() -> None:
    portrait = Portrait.around(np.full((50, 50, 3), 128, np.uint8), FaceBox(10, 10, 40, 40))
    frames = [frame.image_bgr.astype(float) for frame in portrait.frames(REST)]
    again = [frame.image_bgr for frame in portrait.frames(REST)]
    assert len(frames) == REST.frames
    assert all(np.array_equal(a, b) for a, b in zip(frames, again, strict=True))
    grey = cv2.cvtColor(frames[0].astype(np.uint8), cv2.COLOR_BGR2GRAY).astype(float)
    # Rounding to whole levels adds a variance of 1/12.
    assert grey.std() == pytest.approx(math.hypot(NOISE, math.sqrt(1 / 12)), rel=0.02)
    assert abs(np.corrcoef(frames[0].ravel(), frames[1].ravel())[0, 1]) < 0.03


def test_slide_goes_at_its_speed_and_sway_never_faster() -> None:
    portrait = Portrait.around(np.zeros((50, 50, 3), np.uint8), FaceBox(10, 10, 40, 40))
    middle = np.array([[(side - 1) / 2 for side in portrait.size]])
    speeds = {}
    for motion in (SLIDE, SWAY):
        path = portrait.carry(middle, motion, motion.times_s)[:, 0]
        assert (path > 15).all()
        assert (path < np.array(portrait.size) - 15).all()
        speeds[motion] = np.linalg.norm(np.diff(path, axis=0), axis=1) * FPS / portrait.width
    assert speeds[SLIDE] == pytest.approx(SPEED)
    assert 0.95 * SPEED < speeds[SWAY].max() <= SPEED


def test_a_blink_takes_170_ms_and_closes_the_eyes() -> None:
    times_s = np.arange(0, 1, 0.001)
    track = blink(face_points(), times_s, 0.5)
    opened = eye_opening(track) / eye_opening(track)[0]
    moving = np.flatnonzero(opened < 1 - 1e-9) / 1000
    assert moving[0] == pytest.approx(0.5, abs=0.002)
    assert moving[-1] == pytest.approx(0.67, abs=0.002)
    assert opened.argmin() == 570
    assert opened.min() == pytest.approx(0, abs=1e-9)
    others = np.setdiff1d(np.arange(68), [37, 38, 43, 44])
    assert np.array_equal(track[:, others], np.repeat(face_points()[None, others], len(times_s), axis=0))


@given(floats(-1, 1), floats(50, 400))
def test_speech_opens_the_mouth_by_8_percent_five_times_a_second(roll: float, size: float) -> None:
    face = face_points(size=size, roll=roll)
    track = speech(face, np.arange(0, 1, 0.005))
    opened = mouth_opening(track) - mouth_opening(track)[0]
    assert np.ptp(opened) == pytest.approx(0.08 * inter_ocular_px(track), rel=1e-6)
    assert np.abs(np.fft.rfft(opened - opened.mean())).argmax() == 5
    assert np.ptp(track[:, 8], axis=0) == pytest.approx(np.ptp(track[:, 57], axis=0) / 2)


def test_what_is_kept_is_the_share_of_the_range() -> None:
    before = np.array([3.0, 1.0, 2.0])
    assert kept_percent(before, before) == 100
    assert kept_percent(before, before / 4 + 9) == 25
    assert living("off", face_points()).blink_kept == 100
    assert living("off", face_points()).speech_kept == 100


def test_low_keeps_nine_tenths_of_a_blink_and_of_speech() -> None:
    for size in (60.0, 300.0):
        kept = living("low", face_points(size=size))
        assert kept.blink_kept >= 90
        assert kept.speech_kept >= 90


class Playback:
    """A tracker that answers with ``(id, points)`` or None, frame by frame."""

    def __init__(self, answers: list[tuple[int, FloatArray] | None]) -> None:
        self.answers = answers

    def step(self, frame: Frame) -> FrameResult:
        now = self.answers[frame.index]
        return answer(frame, now[1] if now else None, now[0] if now else 1)


def blanks(count: int, fps: float = 30.0) -> Iterator[Frame]:
    for index in range(count):
        yield Frame(np.zeros((4, 4, 3), np.uint8), index, index / fps)


def test_a_video_is_judged_on_the_longest_stretch_of_one_face() -> None:
    times_s = np.arange(200) / FPS
    face = face_points()
    shaken = face.copy()[None] + np.sin(2 * np.pi * 8 * times_s)[:, None, None] * [0, 1.0]
    answers: list[tuple[int, FloatArray] | None] = [(1, face + i) for i in range(40)]
    answers += [(2, points) for points in shaken[40:140]]
    answers += [None, *((2, face - i) for i in range(59))]
    steps: list[int] = []
    (off, high) = on_video(
        blanks(200), "v.mp4", lambda: Playback(answers), ["off", "high"], lambda: steps.append(1)
    )
    assert len(steps) == 200
    assert (off.frames, high.frames) == (100, 100)
    assert off.fast_points == pytest.approx(0, abs=1e-6)
    assert off.fast_head == pytest.approx(100 / math.sqrt(2) / inter_ocular_px(shaken), rel=0.01)
    assert high.fast_head < 0.9 * off.fast_head


@pytest.mark.parametrize(
    ("answers", "fps", "words"),
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
def test_videos_that_tell_nothing_are_one_line(
    answers: list[tuple[int, FloatArray] | None], fps: float, words: str
) -> None:
    with pytest.raises(SourceError, match=words):
        on_video(blanks(len(answers), fps), "v.mp4", lambda: Playback(answers), ["off"], lambda: None)


def command(*args: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "tracker.steadiness", *map(str, args)]
    return subprocess.run(line, capture_output=True, text=True, cwd=REPO, timeout=300)


def test_the_portrait_under_noise_is_as_steady_and_prompt_as_promised(tmp_path: Path) -> None:
    done = command("--json", tmp_path / "o.json", "--smoothing", "off", "--smoothing", "low")
    assert done.returncode == 0, done.stderr
    assert "resnet18, astronaut.jpg" in done.stdout
    off, low = json.loads((tmp_path / "o.json").read_text(encoding="utf-8"))["rows"]
    assert (off["smoothing"], low["smoothing"]) == ("off", "low")
    assert low["jitter"] <= 0.12 < off["jitter"]
    assert max(low["slide_lag"], low["sway_lag"]) <= 1
    assert low["blink_kept"] >= 90


def test_a_video_is_measured(tmp_path: Path) -> None:
    video = face_video(tmp_path / "in.mp4", count=48, fps=30)
    done = command(video, "--frames", 40, "--json", tmp_path / "o.json", "--threads", 1)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "o.json").read_text(encoding="utf-8"))
    assert report["source"] == "in.mp4"
    assert [row["smoothing"] for row in report["rows"]] == ["off", "low", "high"]
    assert [row["frames"] for row in report["rows"]] == [40] * 3
    points = [row["fast_points"] for row in report["rows"]]
    assert points == sorted(points, reverse=True)


def test_what_cannot_be_measured_is_one_line(tmp_path: Path) -> None:
    grey, text, portrait = tmp_path / "grey.png", tmp_path / "text.mp4", tmp_path / "face.png"
    cv2.imwrite(str(grey), np.full((64, 64, 3), 90, np.uint8))
    cv2.imwrite(str(portrait), astronaut())
    text.write_text("no video")
    for args, words in (
        ([tmp_path / "gone.jpg"], ("cannot read", "gone.jpg", "No such file")),
        ([tmp_path / "gone.mp4"], ("cannot open", "gone.mp4", "No such file")),
        ([text], ("text.mp4", "not a video")),
        ([grey], ("no face", "grey.png")),
        ([portrait, "--model", "none"], ("unknown landmarks model", "resnet18")),
        ([portrait, "--json", tmp_path / "no" / "o.json"], ("cannot write", "o.json")),
        ([portrait, "--json", portrait], ("it is the input",)),
    ):
        done = command(*args)
        assert done.returncode == 1, done.stderr
        assert done.stderr.startswith("tracker.steadiness: "), done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
        assert all(word in done.stderr for word in words), done.stderr


@pytest.mark.parametrize(
    "args", [("--smoothing", "much"), ("--frames", "3"), ("--threads", "-1"), ("a", "b")]
)
def test_wrong_usage_is_exit_code_2(args: tuple[str, ...]) -> None:
    assert command(*args).returncode == 2
