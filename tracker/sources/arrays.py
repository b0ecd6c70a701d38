"""Frames of pictures that a program holds: NumPy arrays, PIL images and paths of image files."""

from __future__ import annotations

import math
import operator
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, Protocol, SupportsFloat, SupportsIndex, get_args

import numpy as np
import numpy.typing as npt

from tracker.errors import MisuseError, SourceError
from tracker.sources.images.read import over_white, read_image, to_8_bits
from tracker.system.addresses import is_elsewhere, masked
from tracker.types import Frame, ImageArray

Pixels = npt.NDArray[np.integer[Any] | np.floating[Any]]
"""The arrays that OpenCV's type stubs declare; uint8 and uint16 are accepted, others refused when called."""

ChannelOrder = Literal["bgr", "rgb"]


class PilImage(Protocol):
    """The part of ``PIL.Image.Image`` that is used; Pillow itself is not needed."""

    @property
    def mode(self) -> str:
        """Name of the pixel format, such as ``RGB``."""

    def convert(self, mode: str, /) -> PilImage:
        """Return the image in another format."""


ImageLike = Pixels | PilImage | str | os.PathLike[str]
"""A picture: an array, a PIL image, or the path of an image file."""

_ARRAY_ADVICE = "give a uint8 array (H, W) or (H, W, 3), a PIL image or the path of an image file"


def as_frame(picture: ImageLike | Frame) -> Frame:
    """Return ``picture`` if it is a :class:`Frame`, else the frame that :func:`frame_from` makes of it."""
    return picture if isinstance(picture, Frame) else frame_from(picture)


def frame_from(
    image: ImageLike,
    index: SupportsIndex = 0,
    time_s: SupportsFloat = 0.0,
    source: str = "",
    *,
    channels: ChannelOrder = "bgr",
    pixel_aspect: SupportsFloat = 1.0,
) -> Frame:
    """Return the :class:`Frame` of a picture.

    - An array is uint8, or uint16, whose full range is scaled to 8 bits: grey ``(H, W)`` or ``(H, W, 1)``,
      colours ``(H, W, 3)``, or colours and alpha ``(H, W, 4)``. Colours are in the order ``channels``, by
      default BGR, as OpenCV has them. Transparent pixels are laid over white, as in image files. A
      contiguous uint8 BGR array is not copied, and must not change while the frame is in use. No array is
      ever written to.
    - A PIL image knows its own order of channels; ``channels`` does not apply. It is taken as it is: the EXIF
      orientation that a photograph may still carry is not applied, so that points fit its pixels.
    - A path is read as :func:`~tracker.sources.images.read.read_image` does, turned upright; its file name
      becomes the ``source`` unless one is given.

    ``pixel_aspect`` is the width of a pixel over its height: 16 / 15 for PAL DV in 4:3. No image file states
    it in a way that viewers follow. For :meth:`~tracker.tracking.face_tracker.FaceTracker.step` the times of
    a video must increase.

    Raises:
        MisuseError: ``image`` is something else, ``index`` is no integer from 0 on, ``time_s`` is not finite,
            or ``pixel_aspect`` is not in 1/8..8.
        SourceError: The file cannot be read.
    """
    if channels not in get_args(ChannelOrder):
        raise MisuseError(f"channels must be bgr or rgb, got {channels!r}")
    number, seconds, aspect = _index(index), _seconds(time_s), _ratio(pixel_aspect)
    if not isinstance(source, str):
        raise MisuseError(f"source is a name for the results, as text, got {type(source).__name__}")
    if isinstance(image, str | os.PathLike):
        path = _checked_path(os.fspath(image))
        return Frame(read_image(path), number, seconds, source or path.name, pixel_aspect=aspect)
    return Frame(_pixels(image, channels), number, seconds, source, pixel_aspect=aspect)


def frames_from(
    images: Iterable[ImageLike],
    fps: SupportsFloat = 30.0,
    source: str = "",
    *,
    channels: ChannelOrder = "bgr",
    pixel_aspect: SupportsFloat = 1.0,
) -> Iterator[Frame]:
    """Yield the :class:`Frame` of each picture of a video of one's own, ``1 / fps`` seconds apart.

    ``images`` is anything that can be iterated: a list, a generator, the camera of another library. Each
    is taken when it is asked for, by :func:`frame_from`, which says what the other values mean. For pictures
    that are not equally spaced in time give ``frame_from(image, index, time_s)``.

    Raises:
        MisuseError: ``fps`` is not a positive number, or one of the pictures is none. The former is raised
            at once.
        SourceError: The file of a picture cannot be read.
    """
    rate = _number(fps, "fps is a number of frames per second")
    if not 0 < rate < math.inf:
        raise MisuseError(f"fps must be positive and finite, got {fps!r}")
    is_one = isinstance(images, str | os.PathLike) or (isinstance(images, np.ndarray) and images.ndim < 4)
    if is_one or not isinstance(images, Iterable):
        raise MisuseError(
            f"images are several pictures, such as a list, got {type(images).__name__}: one picture goes to "
            "frame_from, a film or a camera to open_source"
        )
    return (
        frame_from(image, index, index / rate, source, channels=channels, pixel_aspect=pixel_aspect)
        for index, image in enumerate(images)
    )


def _checked_path(name: str) -> Path:
    """Return the path that is named, if it can be one of an image file."""
    if not name:
        raise MisuseError("image is an empty path: give that of an image file")
    if is_elsewhere(name):
        raise MisuseError(
            f"image is an address, {masked(name)}: download it and give the path of the file; a stream or "
            "film elsewhere goes to open_source"
        )
    return Path(name)


def _pixels(image: object, channels: ChannelOrder) -> ImageArray:
    """Return an array or a PIL image as contiguous ``(H, W, 3)`` BGR."""
    if isinstance(image, np.ndarray):
        return _from_array(image, channels)
    if image is None:
        raise MisuseError(
            "image is None, which cv2.imread gives for a file that is missing or no image: check the path, "
            "or give the path itself, whose error says what is wrong"
        )
    pillow = sys.modules.get("PIL.Image")
    if pillow is not None and isinstance(image, pillow.Image):
        return _from_pil(image)
    raise MisuseError(f"image is of type {type(image).__name__}: {_ARRAY_ADVICE}")


def _from_array(image: npt.NDArray[Any], channels: ChannelOrder) -> ImageArray:
    _check_dtype(image.dtype)
    _check_shape(image.shape)
    if image.dtype.itemsize == 2:  # OpenCV takes native byte order only
        image = to_8_bits(np.ascontiguousarray(image, np.uint16)).reshape(image.shape)
    count = 1 if image.ndim == 2 else image.shape[2]
    if count == 1:
        return np.repeat(image.reshape(*image.shape[:2], 1), 3, axis=2)
    if channels == "rgb":
        image = image[..., [2, 1, 0, 3][:count]]
    if count == 4:
        if not image[..., 3].any():
            raise MisuseError(
                "image is wholly transparent, its fourth channel is 0 everywhere: if that is no alpha, give "
                "image[..., :3]"
            )
        image = over_white(image)
    return np.ascontiguousarray(image)


def _check_dtype(dtype: np.dtype[Any]) -> None:
    if dtype.kind == "u" and dtype.itemsize in (1, 2):
        return
    if dtype.kind == "f":
        advice = "multiply by 255 if it is 0..1, and convert: (255 * image).round().astype(np.uint8)"
    elif dtype.kind == "b":
        advice = "convert it: 255 * image.astype(np.uint8)"
    elif dtype.kind in "iu":
        advice = "convert it, if its values are 0..255: image.astype(np.uint8)"
    else:
        advice = _ARRAY_ADVICE
    raise MisuseError(f"image is an array of {dtype}, not uint8: {advice}")


def _check_shape(shape: tuple[int, ...]) -> None:
    if 0 in shape:
        raise MisuseError(f"image is empty, of shape {shape}: check how it was cut or read")
    if len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4)):
        return
    if len(shape) == 4:
        advice = "give one picture at a time, such as image[0]"
    elif len(shape) == 3 and shape[0] in (1, 3, 4):
        advice = "channels come last: give image.transpose(1, 2, 0)"
    else:
        advice = "grey is (H, W), colours are (H, W, 3), with alpha (H, W, 4)"
    raise MisuseError(f"image is an array of shape {shape}: {advice}")


def _from_pil(image: PilImage) -> ImageArray:
    """Return a PIL image as BGR; a palette or a transparent colour is resolved."""
    mode = image.mode
    if mode in ("F", "I"):
        raise MisuseError(
            f"image is a PIL image of mode {mode}, which has no fixed range: scale it to 0..255 and give "
            "image.convert('L')"
        )
    try:
        if not mode.startswith("I;16"):
            has_alpha = mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in _info(image)
            image = image.convert("RGBA" if has_alpha else "RGB")
        pixels = np.asarray(image)
    except (OSError, SyntaxError, ValueError) as error:  # it is decoded here: the file may be damaged
        raise SourceError(f"cannot read the PIL image: {error}") from error
    return _from_array(pixels, "rgb")


def _info(image: PilImage) -> dict[Any, Any]:
    info: dict[Any, Any] = getattr(image, "info", {})
    return info


def _index(index: SupportsIndex) -> int:
    try:
        number = operator.index(index)
    except TypeError as error:
        raise MisuseError(f"index is a whole number, got {index!r}: frames are counted from 0") from error
    if number < 0:
        raise MisuseError(f"index must be >= 0, got {number}: frames are counted from 0")
    return number


def _seconds(time_s: SupportsFloat) -> float:
    seconds = _number(time_s, "time_s is a number of seconds")
    if not math.isfinite(seconds):
        raise MisuseError(f"time_s is a finite number of seconds, got {time_s!r}")
    return seconds


def _ratio(pixel_aspect: SupportsFloat) -> float:
    """Return the ratio as a number; the frame checks its range."""
    return _number(pixel_aspect, "pixel_aspect is a number, width over height")


def _number(value: SupportsFloat, meaning: str) -> float:
    """Return ``value`` as a number, NaN for text; MisuseError with its ``meaning`` for anything else."""
    try:
        return math.nan if isinstance(value, str | bytes) else float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise MisuseError(f"{meaning}, got {value!r}") from error
