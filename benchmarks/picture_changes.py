"""Changes of a labelled picture that make its face harder to find: pose, size, light, blur, covering, coding.

Each change is a pure function of an image ``(H, W, 3)`` BGR uint8, the landmarks ``(68, 2)`` of one face in
its pixels and a generator of random numbers, and returns an image with the landmarks where they lie in it.
The same generator state gives the same result. "Face" as a length is the longer side of the tight box of the
landmarks.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from tracker.scheme.ibug68 import PARTS
from tracker.types import FloatArray, ImageArray
from train.data.occluders import draw_mask

Change = Callable[[ImageArray, FloatArray, np.random.Generator], tuple[ImageArray, FloatArray]]

DARK_GAIN, DARK_NOISE = 0.1, 2.0
"""Factor of all pixel values in the dark, and the noise's standard deviation in levels of 255."""

BLUR_SIGMA, MOTION_LENGTH = 0.03, 0.1
"""Standard deviation of the blur and length of the motion, in faces."""

CUT_OFF = 0.25
"""Share of the face's box that lies outside of the picture."""

JPEG_QUALITY = 10

_LENS, _LENS_DROP = np.array((1.0, 0.85)), 0.15
"""Half axes of a dark lens and its shift down, in widths of the eye."""


def plain(image: ImageArray, points: FloatArray, _: np.random.Generator) -> tuple[ImageArray, FloatArray]:
    """Change nothing: the baseline."""
    return image, points


def turned(image: ImageArray, points: FloatArray, degrees: float) -> tuple[ImageArray, FloatArray]:
    """Return ``image`` and ``points`` turned clockwise about the middle, on a canvas that holds all of it."""
    height, width = image.shape[:2]
    middle = (width - 1) / 2, (height - 1) / 2
    matrix = np.asarray(cv2.getRotationMatrix2D(middle, -degrees, 1.0), np.float64)
    reach = np.abs(matrix[:, :2]) @ np.array([width, height])
    matrix[:, 2] += (reach - np.array([width, height])) / 2
    size = (math.ceil(reach[0]), math.ceil(reach[1]))
    canvas = np.asarray(cv2.warpAffine(image, matrix, size), np.uint8)
    return canvas, points @ matrix[:, :2].T + matrix[:, 2]


def turned_by(degrees: float) -> Change:
    """Return the change that turns the picture clockwise by ``degrees``."""
    return lambda image, points, _: turned(image, points, degrees)


def shrunk_to(face_px: float) -> Change:
    """Return the change that shrinks the picture until the face has ``face_px``; smaller faces stay."""

    def change(
        image: ImageArray, points: FloatArray, _: np.random.Generator
    ) -> tuple[ImageArray, FloatArray]:
        factor = min(face_px / face_size(points), 1.0)
        height, width = image.shape[:2]
        size = max(round(factor * width), 1), max(round(factor * height), 1)
        small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        return small, (points + 0.5) * (size[0] / width, size[1] / height) - 0.5

    return change


def dark(image: ImageArray, points: FloatArray, rng: np.random.Generator) -> tuple[ImageArray, FloatArray]:
    """Scale all pixel values to a tenth, and add normal noise that differs between the colours."""
    noise = rng.normal(0, DARK_NOISE, image.shape)
    return _levels(DARK_GAIN * image + noise), points


def blurred(image: ImageArray, points: FloatArray, _: np.random.Generator) -> tuple[ImageArray, FloatArray]:
    """Blur the picture as a lens out of focus does, by a Gaussian of 3 % of the face."""
    sigma = BLUR_SIGMA * face_size(points)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8), points


def motion_blurred(
    image: ImageArray, points: FloatArray, rng: np.random.Generator
) -> tuple[ImageArray, FloatArray]:
    """Average along a line of 10 % of the face in a random direction; the middle of the line is the pixel."""
    reach, direction = MOTION_LENGTH * face_size(points) / 2, rng.uniform(0, np.pi)
    half = max(math.ceil(reach), 1)
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    for along in np.linspace(-reach, reach, 8 * half + 1):
        x, y = np.rint(half + along * np.array((np.cos(direction), np.sin(direction)))).astype(int)
        kernel[y, x] += 1
    # Rounding is not always symmetric, and a lopsided kernel would move the face against its points.
    kernel += kernel[::-1, ::-1]
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8), points


def masked(image: ImageArray, points: FloatArray, rng: np.random.Generator) -> tuple[ImageArray, FloatArray]:
    """Draw a grey mask from the bridge of the nose to below the chin, with straps to the ears."""
    seed = rng.integers(2**63)
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    side = math.ceil(1.5 * face_size(points))  # about as in the crops that the mask is drawn for
    height, width = image.shape[:2]
    x, y = (int(place) for place in np.floor(middle - side / 2).clip(-side, (width, height)))
    padded = cv2.copyMakeBorder(image, side, side, side, side, cv2.BORDER_REPLICATE)
    rows, columns = slice(y + side, y + 2 * side), slice(x + side, x + 2 * side)
    region = padded[rows, columns]
    for channel in range(3):  # drawn on grey pictures; the same seed draws the same mask on each colour
        grey = np.array(region[..., channel], np.uint8)
        region[..., channel], _ = draw_mask(grey, points - (x, y), np.random.default_rng(seed))
    return np.ascontiguousarray(padded[side : side + height, side : side + width]), points


def sunglasses(
    image: ImageArray, points: FloatArray, rng: np.random.Generator
) -> tuple[ImageArray, FloatArray]:
    """Draw opaque dark lenses about both eyes, a bridge between them and arms to the ears."""
    drawn, shade = image.copy(), float(rng.uniform(5, 45))
    colour, thickness = (shade,) * 3, max(round(0.02 * face_size(points)), 1)
    eyes = [points[list(PARTS[name])] for name in ("left_eye", "right_eye")]
    width = max(float(np.linalg.norm(eye[3] - eye[0])) for eye in eyes)
    rims = []
    for eye in eyes:
        rim = _lens(eye, width)
        rims.append(rim)
        cv2.fillPoly(drawn, [_rounded(rim)], colour, cv2.LINE_AA)
    left, right = rims
    for start, end in (
        (_nearest(left, points[27]), _nearest(right, points[27])),
        (_nearest(left, points[0]), points[0]),
        (_nearest(right, points[16]), points[16]),
    ):
        cv2.polylines(drawn, [_rounded(np.stack([start, end]))], False, colour, thickness, cv2.LINE_AA)
    return drawn, points


def cut_off(image: ImageArray, points: FloatArray, rng: np.random.Generator) -> tuple[ImageArray, FloatArray]:
    """Crop the picture so that a quarter of the face's box is lost at its left, top, right or bottom."""
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    height, width = image.shape[:2]
    x0, y0, x1, y1 = 0, 0, width, height
    side = rng.integers(4)
    if side == 0:
        x0 = _inside(left + CUT_OFF * (right - left), width)
    elif side == 1:
        y0 = _inside(top + CUT_OFF * (bottom - top), height)
    elif side == 2:
        x1 = _inside(right - CUT_OFF * (right - left), width)
    else:
        y1 = _inside(bottom - CUT_OFF * (bottom - top), height)
    return np.ascontiguousarray(image[y0:y1, x0:x1]), points - (x0, y0)


def jpeg(image: ImageArray, points: FloatArray, _: np.random.Generator) -> tuple[ImageArray, FloatArray]:
    """Compress the picture as JPEG of quality 10."""
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8), points


def infrared(image: ImageArray, points: FloatArray, _: np.random.Generator) -> tuple[ImageArray, FloatArray]:
    """Imitate an infrared camera with a lamp beside its lens: one channel, a glowing face, a dark background.

    The red channel is the nearest to infrared. Skin reflects infrared well and evenly, so a gamma of 0.7
    makes it pale; the lamp's light falls off with the distance from the face; and what is brighter than 180
    levels glows, spread by 5 % of the face. Pupils that shine are left out.
    """
    face = face_size(points)
    x, y = (points.min(axis=0) + points.max(axis=0)) / 2
    rows, columns = np.ogrid[: image.shape[0], : image.shape[1]]
    lamp = 1 / (1 + ((columns - x) ** 2 + (rows - y) ** 2) / (1.5 * face) ** 2)
    light = 255 * (image[..., 2] / 255.0) ** 0.7 * lamp
    glow = cv2.GaussianBlur(np.maximum(light - 180, 0), (0, 0), 0.05 * face)
    return np.repeat(_levels(light + glow)[..., None], 3, axis=2), points


def face_size(points: FloatArray) -> float:
    """Return the longer side of the tight box of ``points`` ``(68, 2)`` in pixels."""
    return float(np.ptp(points, axis=0).max())


def _lens(eye: FloatArray, width: float) -> FloatArray:
    """Return the rim of the lens before ``eye`` ``(6, 2)``; ``width`` is that of the wider eye in pixels.

    The lens is as narrow as its own eye, which is foreshortened in a turned head, but as high as the other.
    """
    along = eye[3] - eye[0]
    own = max(float(np.linalg.norm(along)), 1.0)
    along = along / own
    down = np.array((-along[1], along[0]))
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    across, high = own * _LENS[0] * np.cos(angle), width * _LENS[1] * np.sin(angle)
    middle = eye.mean(axis=0) + _LENS_DROP * width * down
    return np.asarray(middle + across[:, None] * along + high[:, None] * down)


def _nearest(rim: FloatArray, point: FloatArray) -> FloatArray:
    return np.asarray(rim[np.linalg.norm(rim - point, axis=1).argmin()])


def _inside(place: float, length: int) -> int:
    """Return ``place`` as a border that leaves at least one pixel on both of its sides."""
    return int(np.clip(round(place), 1, max(length - 1, 1)))


def _levels(values: FloatArray) -> ImageArray:
    return np.rint(values).clip(0, 255).astype(np.uint8)


def _rounded(points: FloatArray) -> npt.NDArray[np.int32]:
    return np.rint(points).astype(np.int32)
