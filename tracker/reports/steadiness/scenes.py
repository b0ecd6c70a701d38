"""Synthetic motion with known truth: a portrait that rests, slides or sways under noise; blinks, speech.

For rotation, points are complex numbers x + iy in pixels: a rotation by ``angle`` (clockwise on screen) and
a scaling by ``scale`` are one factor, ``scale * exp(1j * angle)``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from tracker.scheme.ibug68 import OUTER_EYE_CORNERS
from tracker.types import FaceBox, FloatArray, Frame, ImageArray

FPS = 30
NOISE = 4.0
"""Standard deviation of the sensor noise in grey levels, equal in all channels so that grey keeps it."""

SPEED = 0.5
"""Speed of the sliding face, in face widths per second."""

VIEW = (5.0, 4.0)
"""Width and height of the frames, in face widths."""

LARGEST_FACE = 200
"""Largest face width in pixels: larger portraits are scaled down to it."""

_SWAY_HZ = 0.5
_SWAY_TURN = math.radians(10)
_SWAY_GROWTH = 0.08

_CLOSING_S, _OPENING_S = 0.07, 0.10
"""Durations of a spontaneous blink.

The upper lid comes down, the lower hardly rises (M. G. Doane, "Interactions of
eyelids and tears in corneal wetting and the dynamics of the normal human eyeblink", American Journal of
Ophthalmology 89, 1980) and closing is 40 to 47 % faster than opening (C. Sforza et al., "Spontaneous blinking
in healthy persons: an optoelectronic study of eyelid motion", Ophthalmic and Physiological Optics 28,
2008).
"""

_SYLLABLES_HZ = 5.0
_SPEECH_OPENING = 0.08

_UPPER_LIDS, _LOWER_LIDS = [37, 38, 43, 44], [41, 40, 47, 46]
_LOWER_LIP, _CHIN = [55, 56, 57, 58, 59, 65, 66, 67], [6, 7, 8, 9, 10]
_MIDDLE_UPPER_LIP, _MIDDLE_LOWER_LIP = 62, 66

ComplexArray = npt.NDArray[np.complexfloating]


@dataclass(frozen=True)
class Motion:
    """Motion of the face in a scene of ``frames`` frames at :data:`FPS`.

    ``path`` maps times ``(T,)`` in seconds to complex factors about the centre of the face and complex
    shifts in face widths, both ``(T,)``.
    """

    path: Callable[[FloatArray], tuple[ComplexArray, ComplexArray]]
    frames: int

    @property
    def times_s(self) -> FloatArray:
        """Timestamps of the frames ``(frames,)`` in seconds."""
        return np.arange(self.frames) / FPS


def _rest(times_s: FloatArray) -> tuple[ComplexArray, ComplexArray]:
    return np.ones(len(times_s), complex), np.zeros(len(times_s), complex)


def _slide(times_s: FloatArray) -> tuple[ComplexArray, ComplexArray]:
    return np.ones(len(times_s), complex), SPEED * (times_s - _SLIDE_S / 2) + 0j


def _sway(times_s: FloatArray) -> tuple[ComplexArray, ComplexArray]:
    wave = np.sin(2 * math.pi * _SWAY_HZ * times_s)
    factor = (1 + _SWAY_GROWTH * wave) * np.exp(1j * _SWAY_TURN * wave)
    return factor, SPEED / (2 * math.pi * _SWAY_HZ) * wave + 0j


_SLIDE_S = 3
REST, SLIDE, SWAY = Motion(_rest, 4 * FPS), Motion(_slide, _SLIDE_S * FPS), Motion(_sway, 4 * FPS)
"""Motions of a face: at rest; to the right at :data:`SPEED`; swinging sideways with tilt and scaling.

The swing is at most as fast as :data:`SPEED`.
"""


@dataclass(frozen=True)
class Portrait:
    """A picture ``(H, W, 3)`` and its face: centre (complex) and width of the tight box, in pixels."""

    image_bgr: ImageArray
    centre: complex
    width: float

    @classmethod
    def around(cls, image_bgr: ImageArray, box: FaceBox) -> Portrait:
        """Return the portrait of the face in ``box``, scaled down to :data:`LARGEST_FACE` if it is wider."""
        scale = min(1.0, LARGEST_FACE / box.width)
        if scale < 1:
            image_bgr = np.asarray(
                cv2.resize(image_bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
            )
        # The centre of the top-left pixel is (0, 0): resizing keeps the corner at (-0.5, -0.5).
        x, y = ((value + 0.5) * scale - 0.5 for value in box.center)
        return cls(image_bgr, complex(x, y), scale * box.width)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of a frame in pixels."""
        return round(VIEW[0] * self.width), round(VIEW[1] * self.width)

    def carry(self, points: FloatArray, motion: Motion, times_s: FloatArray) -> FloatArray:
        """Return the positions ``(T, N, 2)`` of ``points`` ``(N, 2)`` at ``times_s``, in frame pixels.

        ``points`` are those of the resting face.
        """
        factor, shift = motion.path(times_s)
        centre = self._frame_centre
        offsets = points[:, 0] + 1j * points[:, 1] - centre
        moved = centre + self.width * shift[:, None] + factor[:, None] * offsets
        return np.stack([moved.real, moved.imag], axis=-1)

    def frames(self, motion: Motion, seed: int = 0) -> Iterator[Frame]:
        """Yield the frames of ``motion`` with subpixel accuracy, each with noise of its own."""
        rng = np.random.default_rng(seed)
        for index, time_s in enumerate(motion.times_s):
            image = self._view(motion, time_s)
            noise = rng.normal(0, NOISE, (*image.shape[:2], 1))
            noisy = np.rint(image + noise).clip(0, 255).astype(np.uint8)
            yield Frame(noisy, index, float(time_s), "portrait")

    @property
    def _frame_centre(self) -> complex:
        return complex((self.size[0] - 1) / 2, (self.size[1] - 1) / 2)

    def _view(self, motion: Motion, time_s: float) -> ImageArray:
        factor, shift = (complex(values[0]) for values in motion.path(np.array([time_s])))
        offset = self._frame_centre + shift * self.width - factor * self.centre
        place = np.array([[factor.real, -factor.imag, offset.real], [factor.imag, factor.real, offset.imag]])
        moved = cv2.warpAffine(
            self.image_bgr, place, self.size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(moved, np.uint8)


def blink(points: FloatArray, times_s: FloatArray, start_s: float) -> FloatArray:
    """Return a track ``(T, P, 2)`` of iBUG's ``points`` ``(P, 2)`` that blink once, from ``start_s`` on."""
    since_s = times_s - start_s
    # Closing and opening are half a cosine each: smooth, fastest in the middle.
    phase = np.interp(since_s, [0, _CLOSING_S, _CLOSING_S + _OPENING_S], [0, math.pi, 2 * math.pi])
    closed = 0.5 - 0.5 * np.cos(phase)
    track = np.repeat(points[None].astype(float), len(times_s), axis=0)
    track[:, _UPPER_LIDS] += closed[:, None, None] * (points[_LOWER_LIDS] - points[_UPPER_LIDS])
    return track


def speech(points: FloatArray, times_s: FloatArray) -> FloatArray:
    """Return a track ``(T, P, 2)`` of iBUG's ``points`` ``(P, 2)`` that speak: the mouth opens at 5 Hz.

    The lower lip moves by 8 % of the distance between the outer eye corners, the chin by half of that.
    """
    left, right = (points[corner] for corner in OUTER_EYE_CORNERS)
    down = np.array([left[1] - right[1], right[0] - left[0]])  # at right angles to the eye line
    opened = _SPEECH_OPENING * (0.5 - 0.5 * np.cos(2 * math.pi * _SYLLABLES_HZ * times_s))
    track = np.repeat(points[None].astype(float), len(times_s), axis=0)
    track[:, _LOWER_LIP] += opened[:, None, None] * down
    track[:, _CHIN] += opened[:, None, None] * down / 2
    return track


def eye_opening(track: FloatArray) -> FloatArray:
    """Return the mean distance ``(T,)`` of upper and lower lids of both eyes in pixels."""
    gaps = track[:, _LOWER_LIDS] - track[:, _UPPER_LIDS]
    return np.asarray(np.linalg.norm(gaps, axis=-1).mean(axis=1))


def mouth_opening(track: FloatArray) -> FloatArray:
    """Return the distance ``(T,)`` of the middle points of the inner lips in pixels."""
    gap = track[:, _MIDDLE_LOWER_LIP] - track[:, _MIDDLE_UPPER_LIP]
    return np.asarray(np.linalg.norm(gap, axis=-1))
