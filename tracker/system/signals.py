"""Signal handlers that turn Ctrl-C and termination into exceptions, deferred while a file is written.

An exception at an arbitrary point inside an encoder would lose the data that it has buffered. After
:func:`install`, a signal that arrives within :func:`uninterrupted` is delivered when the block ends.
Without :func:`install` the handlers are Python's own and :func:`uninterrupted` has no effect.
"""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _DeferredSignals:
    """The number of blocks that defer signals, and the signal that is pending."""

    def __init__(self) -> None:
        self.depth = 0
        self.pending: int | None = None

    def on_signal(self, number: int, _: object) -> None:
        if self.depth:
            self.pending = number
        else:
            self.deliver(number)

    def deliver(self, number: int) -> None:
        self.pending = None
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)


_deferred = _DeferredSignals()


def install() -> None:
    """Handle SIGINT (``KeyboardInterrupt``), SIGTERM and SIGHUP (``SystemExit``, 128 + number).

    Ignored signals stay ignored, as ``nohup`` requires. Call it from the main thread.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _deferred.on_signal)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Defer signals until the block ends, normally or with an error.

    Python delivers signals to the main thread only; in other threads this has no effect.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _deferred.depth += 1
    try:
        yield
    finally:
        _deferred.depth -= 1
        if not _deferred.depth and _deferred.pending is not None:
            _deferred.deliver(_deferred.pending)


def interruption_pending() -> bool:
    """Return whether a signal is deferred: operations that may block should then give up."""
    return _deferred.pending is not None


class _SignalStack(ctypes.Structure):
    """The ``stack_t`` of ``sigaltstack`` on Linux."""

    _fields_ = (("start", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))


@contextmanager
def signal_stack_kept() -> Iterator[None]:
    """Put back this thread's alternate signal stack after a native library has set its own.

    A library may set one that holds little more than the kernel's signal frame. Python's handlers run on it,
    overflow it, and Ctrl-C ends the process with a segmentation fault. Linux only; elsewhere it does nothing.
    """
    if not sys.platform.startswith("linux"):
        yield
        return
    library, before = ctypes.CDLL(None), _SignalStack()
    library.sigaltstack(None, ctypes.byref(before))
    try:
        yield
    finally:
        library.sigaltstack(ctypes.byref(before), None)
