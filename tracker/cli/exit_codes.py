"""Exit codes of the command line, and the handling of interruption that all commands share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from tracker.system import signals

EXIT_ERROR = 1
"""A :class:`~tracker.errors.TrackerError`, reported in one line. Wrong usage is 2, set by typer."""

EXIT_INTERRUPTED = 130
"""Ctrl-C, as in shells: 128 + SIGINT."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn Ctrl-C into exit code 130, after everything inside has closed its files.

    SIGTERM, and SIGHUP when the terminal closes, close the files too; their exit codes are 128 + signal
    number.
    """
    signals.install()
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("tracker: interrupted; what was written so far is complete", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None
