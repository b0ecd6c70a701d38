"""Opening of sources by name, and frames of arrays, for programs that use the package."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Protocol, Self

import numpy as np
import numpy.typing as npt

from tracker.sources.camera.mode import is_local_camera
from tracker.sources.camera.source import CameraSource
from tracker.sources.film import Film
from tracker.sources.images.source import SUFFIXES, ImageSource, ReadFailure, find_images, unreadable
from tracker.sources.numbered import DEFAULT_FPS, NumberedImageSource
from tracker.sources.patterns import is_numbered
from tracker.sources.trim import WHOLE, Trim
from tracker.sources.video.source import VideoSource
from tracker.system.closing import Closing
from tracker.types import Frame


class Source(Protocol):
    """Frames in order, once, as :func:`open_source` returns them; a context manager that closes itself."""

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames.

        Raises:
            SourceError: Reading cannot go on.
        """

    def __enter__(self) -> Self:
        """Return itself."""

    def __exit__(self, *error: Any) -> None:
        """Close, after an error too."""

    def close(self) -> None:
        """Release files and devices and end threads; closing twice is fine."""


class PictureSource(Closing):
    """Still images as frames; ``source`` is the file name, ``index`` and ``time_s`` are 0.

    Images that cannot be read are skipped; after the last frame :class:`~tracker.errors.SourceError` tells of
    them.
    """

    def __init__(self, pattern: str) -> None:
        self._images = ImageSource(find_images(pattern))

    def __iter__(self) -> Iterator[Frame]:
        failures: list[ReadFailure] = []
        for image in self._images:
            if isinstance(image, ReadFailure):
                failures.append(image)
            else:
                yield image
        if failures:
            raise unreadable(failures)

    def close(self) -> None:
        """Do nothing: no file stays open between two images."""


def open_source(what: int | str | Path) -> Source:
    """Open the source that ``what`` names; use it in a ``with`` block.

    - a number, a device such as ``/dev/video2`` or a URL: a camera or stream, always its newest frame
      (:class:`~tracker.sources.camera.source.CameraSource`); only a URL makes it connect anywhere;
    - a folder, an image or a pattern such as ``photos/*.jpg``: still images (:class:`PictureSource`), for
      :meth:`~tracker.tracking.face_tracker.FaceTracker.find`, which takes each on its own;
    - ``frames_%04d.png``: numbered images, a film (:class:`~tracker.sources.numbered.NumberedImageSource`);
    - any other file: a video, every frame (:class:`~tracker.sources.video.source.VideoSource`).

    Raises:
        SourceError: It does not open or, while iterating, cannot go on.
    """
    name = str(what)
    if is_local_camera(name) or "://" in name:
        return CameraSource(name)
    path = Path(name)
    is_pattern = glob.has_magic(name) and not path.exists()
    is_still = is_pattern or path.is_dir() or path.suffix.lower() in SUFFIXES
    return PictureSource(name) if is_still and not is_numbered(path) else open_film(path)


def open_film(path: Path, trim: Trim = WHOLE, fps: float | None = None) -> Film:
    """Open a video file, or the numbered images that the pattern ``path`` stands for, at ``fps``.

    Raises:
        SourceError: It does not open.
    """
    if is_numbered(path):
        return NumberedImageSource(path, trim, fps or DEFAULT_FPS)
    return VideoSource(path, trim)


def frame_from(
    image: npt.NDArray[np.uint8],
    index: int = 0,
    time_s: float = 0.0,
    source: str = "",
    *,
    channels: Literal["bgr", "rgb"] = "bgr",
) -> Frame:
    """Return the :class:`Frame` of a uint8 array: ``(H, W)`` grey, or ``(H, W, 3)`` in order ``channels``.

    A contiguous BGR array is not copied; it must not change while the frame is in use. For
    :meth:`~tracker.tracking.face_tracker.FaceTracker.step` the times of a video must increase.

    Raises:
        ValueError: Another shape, type or channel order.
    """
    if channels not in ("bgr", "rgb"):
        raise ValueError(f"channels must be bgr or rgb, got {channels!r}")
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=2)
    elif channels == "rgb":
        image = image[..., ::-1]
    return Frame(np.ascontiguousarray(image), index, time_s, source)
