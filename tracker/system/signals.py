"""Signal handlers that turn Ctrl-C and termination into exceptions, deferred while a file is written.

An exception at an arbitrary point inside an encoder would lose the data that it has buffered. After
:func:`install`, a signal that arrives within :func:`uninterrupted` is delivered when the block ends.
Without :func:`install` the handlers are Python's own and :func:`uninterrupted` has no effect.

Native code, destructors and imports may swallow an exception that a handler raises. So a signal is also
recorded, and :func:`raise_swallowed` raises it again: loops call it between two items, the start of a run
between two steps.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tracker.errors import TrackerError


class _DeferredSignals:
    """The number of blocks that defer signals, the signal that is pending, and the last one delivered."""

    def __init__(self) -> None:
        self.depth = 0
        self.pending: int | None = None
        self.delivered: int | None = None

    def on_signal(self, number: int, _: object) -> None:
        if self.depth:
            self.pending = number
        else:
            self.deliver(number)

    def deliver(self, number: int) -> None:
        self.pending, self.delivered = None, number
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)


_deferred = _DeferredSignals()


def end_on_interrupt() -> None:
    """Let Ctrl-C end the process at once with exit code 130, until :func:`install`.

    Nothing is open yet while modules are imported, and an exception inside an import may come out as another.
    Call it from the main thread.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end_at_once)


def _end_at_once(number: int, _: object) -> None:
    os.write(2, b"tracker: interrupted\n")
    os._exit(128 + number)


def install() -> None:
    """Handle SIGINT (``KeyboardInterrupt``), SIGTERM and SIGHUP (``SystemExit``, 128 + number).

    Ignored signals stay ignored, as ``nohup`` requires. What was delivered before is forgotten. Call it from
    the main thread.
    """
    _deferred.delivered = None
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) in _REPLACED:
            signal.signal(number, _deferred.on_signal)


_REPLACED = (signal.SIG_DFL, signal.default_int_handler, _end_at_once)


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


def raise_swallowed() -> None:
    """Raise the exception of a delivered signal again: code that goes on after it has swallowed it.

    Not for clean-up, which runs because of that exception. Only the main thread is told, as by Python.
    """
    number = _deferred.delivered
    if number is None or threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(number) == _deferred.on_signal:  # else others handle it by now
        _deferred.deliver(number)


def interruption_in(error: BaseException) -> BaseException | None:
    """Return the exception of a signal that led to ``error``, None if none did.

    A module whose import is interrupted may raise ``ImportError`` from it. An ``OSError`` while files are
    closed because of a signal has another cause, and so has one of ours: only causes that are stated count.
    """
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        if isinstance(link, KeyboardInterrupt | SystemExit):
            return link
        seen.add(id(link))
        unforeseen = not isinstance(link, TrackerError | OSError)
        link = link.__cause__ or (link.__context__ if unforeseen else None)
    return None


@contextmanager
def swallowed_quietly() -> Iterator[None]:
    """Print no traceback where a signal's exception is swallowed: :func:`raise_swallowed` raises it again."""
    before = sys.unraisablehook

    def hook(unraisable: sys.UnraisableHookArgs) -> None:
        if _deferred.delivered is None or not issubclass(unraisable.exc_type, KeyboardInterrupt | SystemExit):
            before(unraisable)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before


@contextmanager
def interrupts_ignored() -> Iterator[None]:
    """Start processes that ignore Ctrl-C from their first instruction on; the parent handles it.

    Only the main thread can do that; in others this has no effect.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def ignore_interrupts() -> None:
    """Ignore Ctrl-C from now on: the process is ending. Call it from the main thread.

    While the interpreter shuts down, Python's handlers are gone and the signal would kill the process.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)


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
