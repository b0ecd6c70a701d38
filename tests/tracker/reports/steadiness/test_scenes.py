"""Synthetic scenes: frames agree with the true positions; noise, speed, blinks and speech are as stated."""

from __future__ import annotations

import math
from itertools import islice

import cv2
import numpy as np
import pytest
from hypothesis import given

from tests.shapes import face_points
from tests.strategies import floats
from tracker.reports.steadiness.figures import inter_ocular_px
from tracker.reports.steadiness.runs import SCENES
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
from tracker.types import FaceBox, FloatArray, ImageArray


def blob(width: float, sigma: float) -> tuple[ImageArray, FloatArray, FloatArray]:
    """Return a picture of a bright blob, the centre of a face ``width`` pixels wide, the blob's centre."""
    centre = np.array([1.1 * width, 0.9 * width])
    spot = centre + width * np.array([0.3, -0.2])
    ys, xs = np.mgrid[: round(2.2 * width), : round(2.2 * width)]
    grey = 60 + 150 * np.exp(-((xs - spot[0]) ** 2 + (ys - spot[1]) ** 2) / (2 * sigma**2))
    return np.repeat(np.rint(grey).astype(np.uint8)[..., None], 3, axis=2), centre, spot


def offset_from(image: ImageArray, x: float, y: float, radius: float) -> tuple[float, float]:
    """Return the offset of the blob's centre of mass from ``(x, y)``, within ``radius`` pixels of it."""
    weight = image[..., 0] - 60.0
    ys, xs = np.mgrid[: image.shape[0], : image.shape[1]]
    weight[np.hypot(xs - x, ys - y) > radius] = 0
    return (weight * (xs - x)).sum() / weight.sum(), (weight * (ys - y)).sum() / weight.sum()


@pytest.mark.parametrize(
    ("motion", "width", "frames"), [*((scene, 60.0, 90) for scene in SCENES), (SWAY, 2.0 * LARGEST_FACE, 18)]
)
def test_frames_agree_with_the_true_positions(motion: Motion, width: float, frames: int) -> None:
    """A blob away from the centre of the face: in each frame its centre is the carried point."""
    sigma = width / 20
    image, centre, spot = blob(width, sigma)
    corner = centre - width / 2
    portrait = Portrait.around(image, FaceBox(*corner, *(corner + width)))
    scale = portrait.width / width
    assert scale == pytest.approx(min(1.0, LARGEST_FACE / width))
    at_rest = scale * (spot - centre) + [(side - 1) / 2 for side in portrait.size]
    truth = portrait.carry(at_rest[None], motion, motion.times_s)[:, 0]
    offsets = []
    for frame in islice(portrait.frames(motion), 0, frames, frames // 6):
        assert frame.image_hw == portrait.size[::-1]
        x, y = truth[frame.index]
        offsets.append(offset_from(frame.image_bgr, x, y, 4 * scale * sigma))
    # Noise of 4 moves this centre by 0.06 px, whatever sigma: 4 * sqrt(pi * 4**4 / 4) / (150 * 2 * pi).
    assert np.abs(offsets).max() < 5 * 0.06
    assert np.abs(np.mean(offsets, axis=0)).max() < 4 * 0.06 / math.sqrt(len(offsets))


def test_noise_has_the_stated_deviation_and_differs_between_frames_only() -> None:
    portrait = Portrait.around(np.full((50, 50, 3), 128, np.uint8), FaceBox(10, 10, 40, 40))
    frames = [frame.image_bgr.astype(float) for frame in portrait.frames(REST)]
    again = [frame.image_bgr for frame in portrait.frames(REST)]
    assert len(frames) == REST.frames
    assert all(np.array_equal(a, b) for a, b in zip(frames, again, strict=True))
    grey = cv2.cvtColor(frames[0].astype(np.uint8), cv2.COLOR_BGR2GRAY).astype(float)
    # Rounding to whole levels adds a variance of 1/12.
    assert grey.std() == pytest.approx(math.hypot(NOISE, math.sqrt(1 / 12)), rel=0.02)
    assert abs(np.corrcoef(frames[0].ravel(), frames[1].ravel())[0, 1]) < 0.03


def test_slide_has_the_stated_speed_and_sway_is_never_faster() -> None:
    portrait = Portrait.around(np.zeros((50, 50, 3), np.uint8), FaceBox(10, 10, 40, 40))
    centre = np.array([[(side - 1) / 2 for side in portrait.size]])
    speeds = {}
    for motion in (SLIDE, SWAY):
        path = portrait.carry(centre, motion, motion.times_s)[:, 0]
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
