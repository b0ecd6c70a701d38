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
def interruptible(writes: bool = True) -> Iterator[None]:
    """Turn Ctrl-C into exit code 130, after everything inside has closed its files.

    SIGTERM, and SIGHUP when the terminal closes, close the files too; their exit codes are 128 + signal
    number. A signal whose exception was swallowed or turned into another one ends the command as well.
    ``writes`` says whether there are files at all.
    """
    signals.install()
    try:
        with signals.swallowed_quietly():
            yield
            signals.raise_swallowed()
    except KeyboardInterrupt:
        raise _interrupted("; what was written so far is complete" if writes else "") from None
    except Exception as error:
        interruption = signals.interruption_in(error)
        if interruption is None:
            raise
        if isinstance(interruption, SystemExit):
            raise interruption from None
        raise _interrupted() from None


def _interrupted(more: str = "") -> typer.Exit:
    signals.ignore_interrupts()
    typer.echo(f"tracker: interrupted{more}", err=True)
    return typer.Exit(EXIT_INTERRUPTED)
