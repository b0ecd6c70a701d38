"""Files that are written: looked at before, whole or not at all, and their errors in one line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av

from tracker.errors import ReaderGoneError, SinkError
from tracker.system.signals import uninterrupted


def check_output(path: Path, inputs: Iterable[Path] = ()) -> None:
    """Raise :class:`SinkError` if ``path`` has no folder to lie in, or is one of ``inputs``."""
    with sink_errors(path):
        if not path.parent.exists():
            raise SinkError(f"cannot write {path}: there is no folder {path.parent}; create it first")
        for source in inputs:
            if path.exists() and source.exists() and path.samefile(source):
                raise SinkError(f"cannot write {path}: it is the input; choose another name")


def write_whole(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path``, all of it or, with ``OSError``, nothing: what was there before stays."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def sink_errors(target: Path | str) -> Iterator[None]:
    """Turn errors of the system and of libav into one line of :class:`SinkError` about ``target``.

    A pipe that nobody reads any more is :class:`ReaderGoneError`. What is written inside is not interrupted
    half-way.
    """
    try:
        with uninterrupted():
            yield
    except BrokenPipeError as error:
        raise ReaderGoneError(f"cannot write {target}: its reader has ended") from error
    except (OSError, av.FFmpegError) as error:
        raise SinkError(f"cannot write {target}: {error.strerror or error}") from error
