"""Output files: checks before writing, atomic and line-wise writing, one-line errors, locks."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from tracker.errors import ReaderGoneError, SinkError
from tracker.system.closing import Closing
from tracker.system.opening import is_stream_link, link_refusal, open_output, write_some
from tracker.system.signals import interruption_pending, uninterrupted

MAX_NAME_BYTES = 255
"""Longest file name of the usual file systems."""


def check_output(path: Path, inputs: Iterable[Path] = (), may_be_pipe: bool = False) -> None:
    """Check that ``path`` can be an output before anything is opened.

    Raises :class:`SinkError` if its folder is missing, it is one of ``inputs``, a symbolic link
    (:mod:`tracker.system.opening` says which links are followed), or a named pipe unless it ``may_be_pipe``.
    """
    with guarded_write(path):
        if not path.parent.exists():
            raise SinkError(f"cannot write {path}: there is no folder {path.parent}; create it first")
        for source in inputs:
            if path.exists() and source.exists() and path.samefile(source):
                raise SinkError(f"cannot write {path}: it is the input; choose another name")
        if path.is_symlink() and not is_stream_link(path):
            raise OSError(link_refusal(path))
        if not may_be_pipe and path.is_fifo():
            raise SinkError(f"cannot write {path}: it is a pipe, which only text can go to; give a file")


def make_folder(path: Path, instead: str, parents: bool = False) -> None:
    """Create the folder ``path`` unless it is there, with its ``parents`` if asked for.

    Raises :class:`SinkError` if it cannot be created, if it is a link that leads nowhere, or if it is no
    folder: then the message says what to give ``instead``.
    """
    with guarded_write(path):
        if path.is_symlink() and not path.exists():
            raise OSError(link_refusal(path))
        if path.exists() and not path.is_dir():
            raise SinkError(f"cannot write {path}: it is not a folder; give {instead}")
        path.mkdir(parents=parents, exist_ok=True)


def write_whole(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` atomically: after an ``OSError`` the previous content is still there.

    A symbolic link of that name is replaced, not followed.
    """
    part = beside(path, f".{path.name}.part")
    part.unlink(missing_ok=True)  # left by a killed run, or planted
    try:
        with part.open("xb") as file:
            file.write(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def beside(path: Path, name: str) -> Path:
    """Return the path of the helper file ``name`` beside ``path``, its name shortened if it is too long."""
    encoded = os.fsencode(name)
    if len(encoded) <= MAX_NAME_BYTES:
        return path.with_name(name)
    digest = sha256(encoded).hexdigest()[:16]
    suffix = Path(name).suffix
    kept = os.fsdecode(encoded[: MAX_NAME_BYTES - len(digest) - len(os.fsencode(suffix)) - 1])
    return path.with_name(f"{kept}-{digest}{suffix}")


@contextmanager
def guarded_write(target: Path | str, *others: type[Exception]) -> Iterator[None]:
    """Convert ``OSError`` and ``others`` into one line of :class:`SinkError` about ``target``.

    A pipe without a reader raises :class:`ReaderGoneError`. Signals are deferred until the block ends, so
    that no write is cut in the middle.
    """
    kinds: tuple[type[Exception], ...] = (OSError, *others)
    try:
        with uninterrupted():
            yield
    except BrokenPipeError as error:
        raise ReaderGoneError(f"cannot write {target}: its reader has ended") from error
    except kinds as error:
        reason = getattr(error, "strerror", None) or error
        raise SinkError(f"cannot write {target}: {reason}") from error


class TextFile:
    """UTF-8 text file that never ends in half a line, not even on a full disk.

    Text is held until :meth:`flush`, which writes all of it or nothing. Surrogates, as in undecodable file
    names, are written as escapes, which JSON reads back. To a named pipe text is written as its reader takes
    it, until a signal is pending.
    """

    def __init__(self, path: Path, append: bool = False) -> None:
        self._file = open_output(path, append)
        self._is_pipe = stat.S_ISFIFO(os.fstat(self._file.fileno()).st_mode)
        self._pending: list[str] = []

    def write(self, text: str) -> int:
        """Hold ``text`` until the next :meth:`flush` and return its length."""
        self._pending.append(text)
        return len(text)

    def flush(self) -> None:
        """Write the held text. Raises ``OSError``, with the file unchanged, if not all of it fits."""
        data = memoryview("".join(self._pending).encode("utf-8", "backslashreplace"))
        self._pending.clear()
        written = 0
        try:
            while written < len(data):
                part = data[written:]
                done = write_some(self._file.fileno(), part) if self._is_pipe else self._file.write(part)
                if not done and interruption_pending():
                    return  # nobody reads
                written += done
        except OSError:
            with suppress(OSError):  # a device such as /dev/full cannot be truncated
                self._file.seek(-written, 1)
                self._file.truncate()
            raise

    def close(self) -> None:
        """Flush and close the file, also if flushing fails; closing twice is fine."""
        if self._file.closed:
            return
        try:
            self.flush()
        finally:
            self._file.close()


class Lock(Closing):
    """Advisory lock on an existing output file or folder: one writer per output.

    It is held until it is closed or the process ends, even if killed. Raises :class:`SinkError` while
    another process holds it. An output that does not exist or cannot be opened, and file systems without
    locks, are not locked: errors are reported where the output is read or written.

    POSIX locks the output itself, which leaves no lock file behind. Windows locks are mandatory and would
    refuse the run's own writes, so ``beside`` locks a hidden file next to the output, or inside the
    folder; it is removed at the end, and taken over by the next run after a kill.
    """

    def __init__(self, path: Path, beside: bool = sys.platform == "win32") -> None:
        self._release: Callable[[], object] | None = None
        with suppress(OSError):
            self._release = _lock_beside(path) if beside else _lock_itself(path)

    def close(self) -> None:
        """Let other processes write; closing twice is fine."""
        release, self._release = self._release, None
        if release is not None:
            release()


def _lock_itself(path: Path) -> Callable[[], object]:
    """Lock ``path`` and return the function that releases it. Raises ``OSError`` if that is impossible."""
    from filelock import lock_descriptor  # takes longer to import than a short command needs

    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        locked = lock_descriptor(descriptor, blocking=False)
    except OSError:
        os.close(descriptor)
        raise
    if not locked:
        os.close(descriptor)
        raise _held_elsewhere(path)
    return lambda: os.close(descriptor)


def _lock_beside(path: Path) -> Callable[[], object]:
    """Lock a hidden file that stands for ``path``; otherwise as :func:`_lock_itself`."""
    from filelock import FileLock, Timeout

    if not (path.is_file() or path.is_dir()):
        raise FileNotFoundError(path)
    lock = FileLock(
        path / ".lock" if path.is_dir() else path.with_name(f".{path.name}.lock"), thread_local=False
    )
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise _held_elsewhere(path) from error
    return lock.release


def _held_elsewhere(path: Path) -> SinkError:
    return SinkError(f"cannot write {path}: another run is writing to it")
