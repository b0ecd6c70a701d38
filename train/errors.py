"""Exceptions of the training side; each message is one line that the command line prints."""

from __future__ import annotations

import errno
import os


class TrainError(Exception):
    """Base class of all errors that the user of a training command can cause or fix."""


class DataError(TrainError):
    """A data set, label file or prediction file that cannot be used; the message names file and line."""


class RunError(TrainError):
    """A training run that cannot start, resume or finish as requested."""


class OwnProcessError(RunError):
    """A failure of one process of a distributed run, of which the first process cannot tell the user."""


def in_short(error: Exception) -> str:
    """Return what went wrong in one short line, without the name of the file, which the message has."""
    if isinstance(error, FileNotFoundError):
        return os.strerror(errno.ENOENT)  # safetensors has no strerror, only a text with the name in it
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = " ".join(str(error).split())
    return text if len(text) <= 160 else f"{text[:160]}..."
