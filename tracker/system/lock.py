"""Who writes a file or a folder, so that a second run does not write it, too."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from tracker.errors import SinkError
from tracker.system.closing import Closing


class Lock(Closing):
    """Holds ``path``, which is there, until it is closed or the process ends, however it ends.

    Raises :class:`SinkError` while another process holds it. On Windows, and on file systems that know no
    locks, nothing is held.
    """

    def __init__(self, path: Path) -> None:
        self._file: int | None = None
        if sys.platform == "win32":
            return
        import fcntl

        with suppress(OSError):  # what cannot be opened is an error where it is read or written
            self._file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        if self._file is None:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.close()
            raise SinkError(f"cannot write {path}: another run is writing to it") from error
        except OSError:
            self.close()

    def close(self) -> None:
        """Let others write; closing twice is fine."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)
