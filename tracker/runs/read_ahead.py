"""Threads that read ahead and write behind, with bounded queues in order.

Decoding, inference and encoding are native code that releases the interpreter lock. An error crosses a queue
in its place, so a run ends as it would with one thread, and no thread outlives the block that started it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar, TypeVarTuple

from tracker.system.closing import Closing
from tracker.system.signals import raise_swallowed, uninterrupted
from tracker.types import Frame

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_POLL_S = 0.1
"""Seconds that a thread waits for its queue before it checks whether the run has ended."""

MAX_QUEUED = 4
"""Items in a queue: enough to even out frames that take longer."""

MAX_QUEUED_BYTES = 200_000_000
"""Size of the pictures in a queue that makes it full, however few they are: two frames of 8K."""


_Entry = tuple[T, None] | tuple[None, BaseException | None]
"""Item of a source, or its error, or None twice at its end."""


class _PictureQueue(queue.Queue[T]):
    """Queue of tuples that is also full when the frames in them are large."""

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self._bytes = 0

    def _qsize(self) -> int:
        return self.maxsize if self._bytes >= MAX_QUEUED_BYTES else super()._qsize()

    def _put(self, item: T) -> None:
        super()._put(item)
        self._bytes += _picture_bytes(item)

    def _get(self) -> T:
        item = super()._get()
        self._bytes -= _picture_bytes(item)
        return item


def _picture_bytes(entry: object) -> int:
    items = entry if isinstance(entry, tuple) else ()
    return sum(item.image_bgr.nbytes for item in items if isinstance(item, Frame))


class ReadAhead(Closing, Generic[T]):
    """Iterable over ``items`` that a thread reads up to ``max_queued`` ahead (fewer large frames).

    It can be iterated once. The thread runs from the first item until :meth:`close`, which waits for the item
    that it is reading. An error of ``items`` is raised after the last item before it.
    """

    def __init__(self, items: Iterable[T], max_queued: int = MAX_QUEUED) -> None:
        self._queue: queue.Queue[_Entry[T]] = _PictureQueue(max_queued)
        self._closed = threading.Event()
        self._has_ended = False
        self._thread = threading.Thread(target=self._read, args=(items,), name="reading ahead", daemon=True)

    def __iter__(self) -> Iterator[T]:
        while True:
            try:
                item = self.next_within(_POLL_S)
            except StopIteration:
                return
            if item is not None:
                yield item

    def next_within(self, wait_s: float) -> T | None:
        """Return the next item, None if it has not come within ``wait_s`` seconds.

        Raises ``StopIteration`` at the end and from then on, and the error of ``items`` once before.
        """
        if self._has_ended:
            raise StopIteration
        if self._thread.ident is None:
            self._thread.start()  # not earlier: a signal before the block would leave it running
        raise_swallowed()
        with uninterrupted():  # a signal inside the queue could leave its lock held
            try:
                item, error = self._queue.get(timeout=wait_s)
            except queue.Empty:
                return None
        if item is not None:
            return item
        self._has_ended = True
        raise error or StopIteration

    def close(self) -> None:
        """End the thread after the item that it is reading; closing twice is fine."""
        self._closed.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _read(self, items: Iterable[T]) -> None:
        error: BaseException | None = None
        try:
            for item in items:
                if not self._put((item, None)):
                    return
        except BaseException as caught:  # noqa: BLE001 - raised again where the items are used
            error = caught
        self._put((None, error))

    def _put(self, entry: _Entry[T]) -> bool:
        """Queue ``entry``. Returns False once the reader was closed."""
        while not self._closed.is_set():
            try:
                self._queue.put(entry, timeout=_POLL_S)
            except queue.Full:
                continue
            return True
        return False


class WriteBehind(Closing, Generic[*Ts]):
    """Calls of ``write`` in a thread, in order and at most ``max_queued`` late (fewer with large frames).

    An error of ``write`` is raised by the next call or by :meth:`close`; nothing is written after it.
    """

    def __init__(self, write: Callable[[*Ts], None], max_queued: int = MAX_QUEUED) -> None:
        self._write = write
        self._queue: queue.Queue[tuple[*Ts] | None] = _PictureQueue(max_queued)
        self._error: BaseException | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="writing behind", daemon=True)

    def __call__(self, *arguments: *Ts) -> None:
        """Queue a call of ``write``; waits while the queue is full."""
        if self._thread.ident is None:
            self._thread.start()
        self._put(arguments)
        self._raise()

    def close(self) -> None:
        """Finish the queued calls, then end the thread; closing twice is fine.

        An interruption (``KeyboardInterrupt``) while it waits drops the calls that are still queued.
        """
        if self._thread.ident is None:
            return
        try:
            self._put(None)
            while self._thread.is_alive():
                self._thread.join(_POLL_S)
        except BaseException:
            self._stopped.set()
            self._thread.join()
            raise
        self._raise()

    def _put(self, entry: tuple[*Ts] | None) -> None:
        while not self._stopped.is_set():
            with uninterrupted():  # as in ReadAhead
                try:
                    self._queue.put(entry, timeout=_POLL_S)
                except queue.Full:
                    continue
            return

    def _raise(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                entry = self._queue.get(timeout=_POLL_S)
                if entry is None:
                    break
                self._write(*entry)
            except queue.Empty:
                continue
            except BaseException as caught:  # noqa: BLE001 - raised again in the thread of the caller
                self._error = caught
                break
        self._stopped.set()
