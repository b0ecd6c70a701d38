"""Ctrl-C and requests to end arrive as exceptions, but never in the middle of writing a file.

An exception out of the blue inside an encoder loses what it still holds. Where the command line has
called :func:`install`, a signal that comes within :func:`uninterrupted` waits for its end; elsewhere
the handlers are Python's own and :func:`uninterrupted` does nothing.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import typer

EXIT_INTERRUPTED = 130


class _Gate:
    """How many blocks hold signals back, and the signal that waits."""

    def __init__(self) -> None:
        self.holding = 0
        self.waiting: int | None = None

    def on_signal(self, number: int, _: object) -> None:
        if self.holding:
            self.waiting = number
        else:
            self.deliver(number)

    def deliver(self, number: int) -> None:
        self.waiting = None
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)


_gate = _Gate()


def install() -> None:
    """Handle SIGINT (``KeyboardInterrupt``), SIGTERM and SIGHUP (``SystemExit``, 128 + number).

    Signals that are ignored stay ignored, as ``nohup`` wants. Main thread only.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _gate.on_signal)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold signals back until the block has ended, well or not.

    Signals come to the main thread only: in any other this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _gate.holding += 1
    try:
        yield
    finally:
        _gate.holding -= 1
        if not _gate.holding and _gate.waiting is not None:
            _gate.deliver(_gate.waiting)


def interruption_waits() -> bool:
    """Whether a signal is held back: what might wait for ever within :func:`uninterrupted` then gives up."""
    return _gate.waiting is not None


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn Ctrl-C into exit code 130, after everything inside has closed its files.

    A request to end (SIGTERM, or SIGHUP when the terminal closes) closes them too; its exit code is
    the shell's for that signal.
    """
    install()
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("tracker: interrupted; what was written so far is complete", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None
