"""Scenes with a known truth: a still picture under sensor noise, the same moving, lids and lips that move."""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np

from tracker.scheme import PARTS
from tracker.types import FloatArray, Frame, ImageArray

FPS = 30
NOISE = 4.0
"""Standard deviation of the sensor's noise in grey levels of each channel."""

SPEED = 0.5
"""Highest speed of the moving head, in face widths a second."""

_SWING_HZ = 0.5
_BLINK_S = (0.10, 0.05, 0.15)
"""Closing, closed, opening. Spontaneous blinks last 0.1 to 0.4 s: P. P. Caffier et al., "Experimental
evaluation of eye-blink parameters as a drowsiness measure", Eur. J. Appl. Physiol. 89, 2003."""

_SPEECH_HZ = 5.0
"""Syllables a second of fluent speech."""


def noisy(image_bgr: ImageArray, rng: np.random.Generator) -> ImageArray:
    """The picture with fresh Gaussian noise of :data:`NOISE`, rounded and clipped as a sensor does."""
    levels = image_bgr + rng.normal(0, NOISE, image_bgr.shape)
    return np.rint(levels).clip(0, 255).astype(np.uint8)


def still(image_bgr: ImageArray, count: int, seed: int = 0) -> Iterator[Frame]:
    """``count`` frames of a picture that does not move, each with noise of its own."""
    rng = np.random.default_rng(seed)
    for index in range(count):
        yield Frame(noisy(image_bgr, rng), index, index / FPS, "still")


def swing(face_width: float, count: int) -> FloatArray:
    """``(count, 2)``: how far a head has moved in pixels that swings sideways, at most at :data:`SPEED`."""
    amplitude = SPEED * face_width / (2 * math.pi * _SWING_HZ)
    phase = 2 * math.pi * _SWING_HZ * np.arange(count) / FPS
    return np.column_stack([amplitude * np.sin(phase), np.zeros(count)])


def moving(image_bgr: ImageArray, shifts: FloatArray, seed: int = 0) -> Iterator[Frame]:
    """The picture moved by each of ``shifts`` ``(T, 2)`` pixels, to a fraction of a pixel, then noise."""
    rng = np.random.default_rng(seed)
    size = (image_bgr.shape[1], image_bgr.shape[0])
    for index, (x, y) in enumerate(shifts):
        place = np.array([[1, 0, x], [0, 1, y]], float)
        moved = cv2.warpAffine(image_bgr, place, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        yield Frame(noisy(np.asarray(moved, np.uint8), rng), index, index / FPS, "moving")


def blinks(points: FloatArray, count: int) -> FloatArray:
    """``(count, 68, 2)``: ``points`` ``(68, 2)`` whose eyes blink once a second, the lids without a jerk."""
    closed = np.array([_blink_at(time_s % 1.0 - 0.5) for time_s in np.arange(count) / FPS])
    track = np.repeat(points[None].astype(float), count, axis=0)
    for eye in ("left_eye", "right_eye"):
        _, upper1, upper2, _, lower2, lower1 = PARTS[eye]
        for upper, lower in ((upper1, lower1), (upper2, lower2)):
            # The lower lid hardly moves: it meets the upper one a fifth of the way up.
            gap = points[lower] - points[upper]
            track[:, upper] += 0.8 * closed[:, None] * gap
            track[:, lower] -= 0.2 * closed[:, None] * gap
    return track


def _blink_at(time_s: float) -> float:
    """How far the lids are closed, 0..1, ``time_s`` after a blink has begun."""
    closing, shut, opening = _BLINK_S
    if time_s <= 0 or time_s >= closing + shut + opening:
        return 0.0
    if time_s < closing:
        return 0.5 - 0.5 * math.cos(math.pi * time_s / closing)
    return (
        1.0
        if time_s < closing + shut
        else 0.5 + 0.5 * math.cos(math.pi * (time_s - closing - shut) / opening)
    )


def speech(points: FloatArray, count: int) -> FloatArray:
    """``(count, 68, 2)``: ``points`` whose lower lip and chin drop :data:`_SPEECH_HZ` times a second.

    The mouth opens by a sixth of its width, as in talking, not shouting.
    """
    phase = 2 * math.pi * _SPEECH_HZ * np.arange(count) / FPS
    down = 0.5 - 0.5 * np.cos(phase)
    lip = PARTS["outer_lip"]
    width = points[lip[6]] - points[lip[0]]
    drop = np.array([-width[1], width[0]]) / 6  # at right angles to the mouth, towards the chin
    lower = [*lip[7:12], *PARTS["inner_lip"][5:8], *range(6, 11)]
    track = np.repeat(points[None].astype(float), count, axis=0)
    track[:, lower] += down[:, None, None] * drop
    return track
