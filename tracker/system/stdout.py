"""Standard output reserved for results, with writes that stay interruptible while the reader is slow."""

from __future__ import annotations

import os
import select
import sys

from tracker.errors import SinkError
from tracker.system.closing import Closing
from tracker.system.signals import interruption_pending

_POLL_S = 0.2


class StandardOutput(Closing):
    """The process's standard output, reserved for the caller until it is closed.

    All other output meanwhile, that of native libraries included, goes to standard error. Text is written
    as UTF-8 and unbuffered. Raises :class:`SinkError` if the process has no standard output.
    """

    def __init__(self) -> None:
        if sys.stdout is None:
            raise SinkError("cannot write standard output: it is closed; give a file name")
        sys.stdout.flush()
        self._fd = os.dup(1)
        self._closed = False
        os.dup2(2, 1)

    def __str__(self) -> str:
        return "standard output"

    @property
    def is_terminal(self) -> bool:
        """True if standard output is a terminal."""
        return not self._closed and os.isatty(self._fd)

    def write(self, text: str) -> None:
        """Write all of ``text``; stop early if a signal is pending while the reader does not read.

        Raises ``OSError``; ``BrokenPipeError`` if the reader has ended.
        """
        data = memoryview(text.encode("utf-8", errors="backslashreplace"))
        while data:
            written = _write_some(self._fd, data)
            if not written and interruption_pending():
                return
            data = data[written:]

    def flush(self) -> None:
        """Do nothing: text is never buffered."""

    def close(self) -> None:
        """Restore standard output; closing twice is fine."""
        if self._closed:
            return
        self._closed = True
        sys.stdout.flush()  # buffered output of others still goes to standard error
        os.dup2(self._fd, 1)
        os.close(self._fd)


def _write_some(fd: int, data: memoryview) -> int:
    """Write the beginning of ``data`` if ``fd`` is soon ready, and return the number of bytes written."""
    if sys.platform == "win32":  # select accepts sockets only, so a slow reader blocks here
        return os.write(fd, data)
    if not select.select([], [fd], [], _POLL_S)[1]:
        return 0
    return os.write(fd, data[: select.PIPE_BUF])  # a ready pipe takes this many bytes without blocking
