"""Exceptions of the training side; each message is one line that the command line prints."""


class TrainError(Exception):
    """Base class of all errors that the user of a training command can cause or fix."""


class DataError(TrainError):
    """A data set, label file or prediction file that cannot be used; the message names file and line."""


class RunError(TrainError):
    """A training run that cannot start, resume or finish as requested."""


class OwnProcessError(RunError):
    """A failure of one process of a distributed run, of which the first process cannot tell the user."""
