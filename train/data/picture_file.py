"""Grey pictures in one temporary file, which the processes of a run map into memory and share."""

from __future__ import annotations

import mmap
import os
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing import reduction
from pathlib import Path
from typing import IO, Any

import numpy as np

from tracker.types import ImageArray
from train.errors import RunError

Place = tuple[int, int, int]
"""Offset of a picture in the file, its height and its width."""

_ON_DISK = Path("/var/tmp")
"""Temporary folder for large files, on a disk where ``/tmp`` often lies in memory.

Filesystem Hierarchy Standard 3.0, section 5.15.
"""


class PictureFile:
    """Grey pictures ``(H, W)`` uint8 by number, in the order of :meth:`write`.

    Pictures are read-only views of the file, which the system loads when they are used, and drops first when
    memory is short. Forked processes share it, and so do those that get it as an argument. It vanishes with
    the last of them, however they end: on POSIX systems it has no name, on Windows it is deleted on close.
    """

    def __init__(self, file: IO[bytes], places: list[Place]) -> None:
        self._file, self._places = file, places
        weakref.finalize(self, file.close)
        self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if places else b""

    @classmethod
    def write(cls, pictures: Iterable[ImageArray]) -> PictureFile:
        """Write ``pictures``, each ``(H, W)`` uint8 and not empty, to a new file.

        It lies in the folder that the variable ``TMPDIR`` names, else in ``/var/tmp`` or the system's folder
        for temporary files. Raises :class:`~train.errors.RunError` if it cannot be written.
        """
        folder = _folder()
        places: list[Place] = []
        end = 0
        with ExitStack() as on_failure:
            with _explained(folder):
                file = on_failure.enter_context(tempfile.TemporaryFile(dir=folder))
            for picture in pictures:
                with _explained(folder):
                    file.write(np.ascontiguousarray(picture).data)
                places.append((end, picture.shape[0], picture.shape[1]))
                end += picture.size
            with _explained(folder):
                file.flush()
            on_failure.pop_all()
        return cls(file, places)

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, number: int) -> ImageArray:
        start, height, width = self._places[number]
        flat = np.frombuffer(self._bytes, np.uint8, height * width, start)
        return flat.reshape(height, width)

    def __reduce__(self) -> tuple[Callable[..., PictureFile], tuple[Any, list[Place]]]:
        """Pass the open file, not its content, to a process that is started."""
        return _attached, (_passed(self._file), self._places)


def _folder() -> Path:
    by_default = "TMPDIR" not in os.environ and _ON_DISK.is_dir() and os.access(_ON_DISK, os.W_OK)
    return _ON_DISK if by_default else Path(tempfile.gettempdir())


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Turn an error of the system in the block into one line with a remedy."""
    try:
        yield
    except OSError as error:
        raise RunError(
            f"{folder} cannot hold the pictures of this run: {error.strerror}; make room there, or set "
            "TMPDIR to a folder with more"
        ) from error


def _attached(passed: Any, places: list[Place]) -> PictureFile:
    return PictureFile(_opened(passed), places)


if sys.platform == "win32":

    def _passed(file: IO[bytes]) -> Any:
        return file.name

    def _opened(passed: Any) -> IO[bytes]:
        # A file that is deleted on close opens again only for those who agree to that.
        return os.fdopen(os.open(passed, os.O_RDONLY | os.O_BINARY | os.O_TEMPORARY), "rb")

else:

    def _passed(file: IO[bytes]) -> Any:
        return reduction.DupFd(file.fileno())

    def _opened(passed: Any) -> IO[bytes]:
        return os.fdopen(passed.detach(), "rb")
