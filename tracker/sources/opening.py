"""Opening of sources by name, for programs that use the package."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol, Self

from tracker.errors import MisuseError, SourceError
from tracker.sources.camera.mode import is_local_camera
from tracker.sources.camera.source import CameraSource
from tracker.sources.film import Film
from tracker.sources.images.animation import AnimationSource, is_animation
from tracker.sources.images.kind import is_still
from tracker.sources.images.source import ImageSource, ReadFailure, look_for_images, unreadable
from tracker.sources.numbered import DEFAULT_FPS, NumberedImageSource
from tracker.sources.patterns import is_numbered
from tracker.sources.trim import WHOLE, Trim
from tracker.sources.video.source import VideoSource
from tracker.system.addresses import is_elsewhere, masked
from tracker.system.closing import Closing
from tracker.system.terminal import shortened
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
    them. ``paths`` are the files that are read. ``left_out`` counts the files beside them that are no images,
    by kind, and the frames of animations beyond the first.
    """

    def __init__(self, pattern: str) -> None:
        found = look_for_images(pattern)
        self.paths = found.paths
        self.left_out = found.left_out
        self._images = ImageSource(found.paths)

    def __iter__(self) -> Iterator[Frame]:
        failures: list[ReadFailure] = []
        others = False
        for image in self._images:
            if isinstance(image, ReadFailure):
                failures.append(image)
            else:
                others = True
                yield image
        if failures:
            raise unreadable(failures, others)

    def close(self) -> None:
        """Do nothing: no file stays open between two images."""


def open_source(what: int | str | os.PathLike[str]) -> Source:
    """Open the source that ``what`` names; use it in a ``with`` block.

    - a number, a device such as ``/dev/video2`` or a URL: a camera or stream, always its newest frame
      (:class:`~tracker.sources.camera.source.CameraSource`); only a URL makes it connect anywhere;
    - a folder, an image, told by its content, or a pattern such as ``photos/*.jpg``: still images
      (:class:`PictureSource`), for :meth:`~tracker.tracking.face_tracker.FaceTracker.find`, which takes each
      on its own;
    - ``frames_%04d.png``: numbered images, a film (:class:`~tracker.sources.numbered.NumberedImageSource`);
    - any other file, an animated picture too: a video, every frame
      (:class:`~tracker.sources.video.source.VideoSource`).

    Raises:
        SourceError: It does not open or, while iterating, cannot go on.
        MisuseError: ``what`` is empty or of another type.
    """
    name = _checked_name(what)
    if is_local_camera(name) or "://" in name:
        return CameraSource(name)
    path = Path(name)
    if is_elsewhere(name):
        raise MisuseError(f"{masked(name)} is an address as a path, which loses a slash: give it as text")
    try:
        still = _is_pattern(path) or path.is_dir() or is_still(path)
        return PictureSource(name) if still and not is_numbered(path) else open_film(path)
    except OSError as error:  # such as a name that is too long
        raise SourceError(f"cannot open {shortened(name)}: {error.strerror or error}") from error


def _checked_name(what: int | str | os.PathLike[str]) -> str:
    if isinstance(what, bool) or not isinstance(what, int | str | os.PathLike):
        raise MisuseError(
            f"a source is a camera's number, a path, a URL or a pattern, got {type(what).__name__}: "
            "an array goes to frame_from, or to the tracker's find"
        )
    name = os.fspath(what) if isinstance(what, os.PathLike) else str(what)
    if not isinstance(name, str) or not name.strip() or "\0" in name:
        raise MisuseError(f"a source is named by text that is not empty, got {name!r:.60}")
    if isinstance(what, int) and what < 0:
        raise MisuseError(f"cameras are numbered from 0, got {what}")
    return name


def _is_pattern(path: Path) -> bool:
    return glob.has_magic(str(path)) and not path.exists()


def open_film(path: Path, trim: Trim = WHOLE, fps: float | None = None) -> Film:
    """Open a video file, an animated WebP, or the numbered images that ``path`` stands for, at ``fps``.

    Raises:
        SourceError: It does not open.
    """
    if is_numbered(path):
        return NumberedImageSource(path, trim, fps or DEFAULT_FPS)
    if is_animation(path):
        return AnimationSource(path, trim)
    return VideoSource(path, trim)
