"""The process's standard streams: output reserved for results, and libraries that log kept silent."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tracker.errors import SinkError
from tracker.system.closing import Closing
from tracker.system.opening import write_some
from tracker.system.signals import interruption_pending


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
            written = write_some(self._fd, data)
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


@contextmanager
def stderr_silenced() -> Iterator[None]:
    """Discard what native libraries write to standard error until the block ends; errors are exceptions."""
    before = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
