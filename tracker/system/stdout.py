"""Standard output as a stream of results: nothing else gets into it, and a reader may keep us waiting."""

from __future__ import annotations

import os
import select
import sys

from tracker.errors import SinkError
from tracker.system.closing import Closing
from tracker.system.signals import interruption_pending

_PATIENCE_S = 0.2


class StandardOutput(Closing):
    """The process's standard output, taken for the caller alone until it is closed.

    What anything else prints meanwhile, native libraries included, goes to standard error. Text is written
    as UTF-8 and at once. Raises :class:`SinkError` when the process has no standard output.
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
        """Whether a person sees what is written."""
        return not self._closed and os.isatty(self._fd)

    def write(self, text: str) -> None:
        """Write ``text``, all of it unless a signal waits while the reader does not read.

        Raises ``OSError``: ``BrokenPipeError`` when the reader has ended.
        """
        data = memoryview(text.encode("utf-8", errors="backslashreplace"))
        while data:
            written = _write_some(self._fd, data)
            if not written and interruption_pending():
                return
            data = data[written:]

    def flush(self) -> None:
        """Nothing is ever kept back."""

    def close(self) -> None:
        """Give standard output back; closing twice is fine."""
        if self._closed:
            return
        self._closed = True
        sys.stdout.flush()  # what was printed meanwhile is not to follow the results
        os.dup2(self._fd, 1)
        os.close(self._fd)


def _write_some(fd: int, data: memoryview) -> int:
    """Write the beginning of ``data`` if ``fd`` takes it within a moment. Returns the number of bytes."""
    if sys.platform == "win32":  # select knows sockets only: there a reader that does not read holds us
        return os.write(fd, data)
    if not select.select([], [fd], [], _PATIENCE_S)[1]:
        return 0
    return os.write(fd, data[: select.PIPE_BUF])  # so much fits into a pipe that is ready
