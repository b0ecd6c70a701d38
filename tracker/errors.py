"""Every error this package raises on purpose.

::

    TrackerError
    ├── SourceError     a camera, video or image that cannot be opened or read
    ├── SinkError       an output that cannot be written
    │   └── ReaderGoneError   the program that read it has ended
    ├── ResultsError    results of an earlier run that cannot be read
    ├── DisplayError    no screen for the window
    ├── BackendError    an inference backend that does not really open
    ├── BatchError      files of a batch that failed, or a cluster that does not answer
    ├── BenchError      a measurement that cannot be made, or would not be worth having
    └── WeightsError    model files that are missing, altered or of the wrong shape

The message is one line: what failed, on what, what to try. The command line prints it on stderr
and exits with 1. Misuse of the library (a wrong shape, a negative size) raises ``ValueError``.
"""


class TrackerError(Exception):
    """Base of all errors that a user can cause or mend."""


class SourceError(TrackerError):
    """A camera, video or image cannot be opened or read."""


class SinkError(TrackerError):
    """An output cannot be written."""


class ReaderGoneError(SinkError):
    """The program at the other end of a pipe has ended; the command line takes that for a wish to quit."""


class ResultsError(TrackerError):
    """Results of an earlier run cannot be read: they are damaged, or come from another program."""


class DisplayError(TrackerError):
    """There is no screen to open a window on."""


class BackendError(TrackerError):
    """An inference backend does not open, or opens as something else."""


class WeightsError(TrackerError):
    """A model file is missing, differs from its manifest or breaks the model contract."""


class BenchError(TrackerError):
    """A measurement cannot be made, or would not be worth having."""


class BatchError(TrackerError):
    """Files of a batch failed, or its cluster does not answer."""
