"""Errors of the training side; the message is one line that the command line prints."""


class TrainError(Exception):
    """Base of all errors that a user of the training commands can cause or mend."""


class DataError(TrainError):
    """A data set, label file or prediction file that cannot be used; names file and line."""


class RunError(TrainError):
    """A training run that cannot start, resume or end as asked."""
