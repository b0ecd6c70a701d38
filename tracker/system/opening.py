"""Opening of outputs: symbolic links are not followed, and named pipes do not block signals.

In a folder that others may write to, a link with the name of an output would make a run overwrite a file
elsewhere. Links to the process's own streams, such as ``/dev/stdout``, are followed.
"""

from __future__ import annotations

import errno
import io
import os
import re
import select
import stat
import sys
import time
from pathlib import Path

from tracker.system.signals import interruption_pending

_POLL_S = 0.2
_STREAMS = re.compile(r"/dev/(stdout|stderr|fd/\d+)|/proc/(self|\d+)/fd/\d+", re.ASCII)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)  # Windows has none


def open_output(path: Path, append: bool = False) -> io.FileIO:
    """Open the file ``path`` for writing, unbuffered; an existing one is emptied unless ``append``.

    A named pipe is waited for until somebody reads it, or a signal is pending. Raises ``OSError``, also for a
    symbolic link.
    """

    def opener(name: str, flags: int) -> int:
        if is_stream_link(path):
            return os.open(name, flags, 0o666)
        try:
            if stat.S_ISFIFO(os.lstat(name).st_mode):
                return _open_pipe(name, flags)
        except FileNotFoundError:
            pass
        try:
            return os.open(name, flags | _NO_FOLLOW, 0o666)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise OSError(link_refusal(path)) from error
            raise

    return io.FileIO(str(path), "ab" if append else "wb", opener=opener)


def is_stream_link(path: Path) -> bool:
    """Return whether ``path`` names one of the process's own streams, such as ``/dev/stdout``."""
    return _STREAMS.fullmatch(os.path.abspath(path)) is not None  # noqa: PTH100 - must not follow links


def link_refusal(path: Path) -> str:
    """Return why a symbolic link is not written to, and what to do."""
    try:
        target = f" to {path.readlink()}"
    except OSError:
        target = ""
    return f"it is a symbolic link{target}: give the file itself, or remove the link"


def write_some(fd: int, data: memoryview) -> int:
    """Write the beginning of ``data`` if ``fd`` is soon ready, and return the number of bytes written."""
    if sys.platform == "win32":  # select accepts sockets only, so a slow reader blocks here
        return os.write(fd, data)
    if not select.select([], [fd], [], _POLL_S)[1]:
        return 0
    return os.write(fd, data[: select.PIPE_BUF])  # a ready pipe takes this many bytes without blocking


def _open_pipe(name: str, flags: int) -> int:
    """Open a named pipe once it has a reader; ``InterruptedError`` if a signal is pending before that."""
    while True:
        try:
            fd = os.open(name, flags & ~os.O_CREAT | os.O_NONBLOCK | _NO_FOLLOW)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
        else:
            os.set_blocking(fd, True)
            return fd
        if interruption_pending():
            raise InterruptedError(errno.EINTR, "interrupted while it waited for a reader")
        time.sleep(_POLL_S)
