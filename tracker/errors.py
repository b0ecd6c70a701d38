"""Errors that the package raises.

::

    TrackerError
    ├── SourceError     a camera, video or image that cannot be opened or read
    ├── SinkError       an output that cannot be written
    │   └── ReaderGoneError   the program that reads it has ended
    ├── ResultsError    results of an earlier run that cannot be read
    ├── DisplayError    no screen for the window
    ├── BackendError    an inference backend that does not open
    ├── BatchError      files of a batch that failed, or a cluster that does not answer
    ├── BenchError      a measurement that cannot be made or would be meaningless
    └── WeightsError    model files that are missing, altered or of the wrong shape

Each message is one line that says what failed, for which file or device, and what to try. The command line
prints it on standard error and exits with 1. Wrong arguments to a function, such as an array of the wrong
shape, raise ``ValueError``.
"""


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
    """An inference backend does not open, fails while running, or another one opens in its place."""


class WeightsError(TrackerError):
    """A model file is missing, differs from the manifest, or breaks the model contract."""


class BenchError(TrackerError):
    """A measurement cannot be made or would be meaningless."""


class BatchError(TrackerError):
    """Files of a batch failed, or the cluster does not answer."""
