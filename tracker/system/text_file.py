"""A text file that never ends in half a line, not even on a disk that is full."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


class TextFile:
    """UTF-8 text for which nothing is buffered behind :meth:`flush`: all of it is written then, or none.

    What is no valid UTF-8, as in a file name, is written as escapes, which JSON reads back.
    """

    def __init__(self, path: Path, append: bool = False) -> None:
        self._file = path.open("ab" if append else "wb", buffering=0)
        self._pending: list[str] = []

    def write(self, text: str) -> int:
        """Keep ``text`` for the next :meth:`flush`. Returns its length."""
        self._pending.append(text)
        return len(text)

    def flush(self) -> None:
        """Write what is kept. Raises ``OSError``, the file as it was, if there is no room for all of it."""
        data = memoryview("".join(self._pending).encode("utf-8", "backslashreplace"))
        self._pending.clear()
        written = 0
        try:
            while written < len(data):
                written += self._file.write(data[written:])
        except OSError:
            with suppress(OSError):  # a device such as /dev/full has no end that could be moved
                self._file.seek(-written, 1)
                self._file.truncate()
            raise

    def close(self) -> None:
        """Write what is kept and close the file, also if that fails; closing twice is fine."""
        if self._file.closed:
            return
        try:
            self.flush()
        finally:
            self._file.close()
