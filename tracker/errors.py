"""Errors that the package raises, and the damage of files that it reads in spite of it.

::

    TrackerError
    ├── SourceError     a camera, video or image that cannot be opened or read
    ├── SinkError       an output that cannot be written
    │   └── ReaderGoneError   the program that reads it has ended
    ├── ResultsError    results of an earlier run that cannot be read
    ├── DisplayError    no screen for the window
    ├── BackendError    an inference backend that does not open
    ├── BatchError      files of a batch that failed
    ├── ClusterError    a Ray cluster that does not answer, or cannot do what it is asked for
    ├── BenchError      a measurement that cannot be made or would be meaningless
    ├── ServeError      a server that cannot start, or cannot go on
    ├── MisuseError     a call of a function that cannot be right; also a ValueError
    └── WeightsError    model files that are missing, altered or of the wrong shape

Each message is one line that says what failed, for which file or device, and what to try. The command line
prints it on standard error and exits with 1. Wrong arguments to a function raise ``ValueError``; where
pictures, frames and names come in, that is a :class:`MisuseError`, with a remedy.
"""

from __future__ import annotations

from dataclasses import dataclass


class TrackerError(Exception):
    """Base class of all errors that a user can cause or fix."""


class SourceError(TrackerError):
    """A camera, video or image cannot be opened or read."""


class SinkError(TrackerError):
    """An output cannot be written."""


class ReaderGoneError(SinkError):
    """The program at the other end of a pipe has ended; the command line then exits with 0."""


class ResultsError(TrackerError):
    """Results of an earlier run cannot be read: damaged, or written by another program."""


class DisplayError(TrackerError):
    """There is no screen for a window."""


class BackendError(TrackerError):
    """An inference backend does not open, fails while running, or is replaced by another one."""


class WeightsError(TrackerError):
    """A model file is missing, differs from the manifest, or breaks the model contract."""


class BenchError(TrackerError):
    """A measurement cannot be made or would be meaningless."""


class ServeError(TrackerError):
    """A server cannot start: its address is taken, or a file that it needs cannot be read."""


class MisuseError(TrackerError, ValueError):
    """A call is wrong: its arguments, a closed object, or the order of calls."""


class BatchError(TrackerError):
    """Files of a batch failed."""


class ClusterError(TrackerError):
    """A Ray cluster does not answer, has no room, or its nodes differ from this computer."""


@dataclass(frozen=True)
class Damage:
    """Damage of a video file at one of its frames.

    ``lost_before`` frames are missing directly before the frame, and ``lost_after`` frames after it, at the
    end of the file (``None``: some, but the file does not tell how many). ``guessed`` is set if the picture
    may be wrong: parts could not be decoded and were filled in, it builds on such a picture, or it lies
    directly before damage, which may have begun in it. ``time_mended`` is set if the file states an
    impossible time, and the frame got one that fits its neighbours. ``byte`` is the position in the file at
    which the damage was noticed, ``None`` if it is not known.
    """

    lost_before: int = 0
    lost_after: int | None = 0
    guessed: bool = False
    time_mended: bool = False
    byte: int | None = None

    def __post_init__(self) -> None:
        if self.lost_before < 0 or (self.lost_after or 0) < 0 or (self.byte or 0) < 0:
            raise ValueError(f"counts and places must not be below 0, got {self}")
