"""Reading, computing and writing at the same time: bounded queues between threads, everything in order.

What takes the time in decoding, inference and encoding is native code that lets other threads run. Errors
cross a queue in their place, so a run ends as if one thing had been done after the other, and no thread
outlives the block that started it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar, TypeVarTuple

from tracker.system.closing import Closing
from tracker.system.signals import uninterrupted
from tracker.types import Frame

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_PATIENCE_S = 0.1
"""How long a wait lasts before it looks whether it is still wanted."""

MOST_WAITING = 4
"""Frames in a queue: enough to even out frames that take longer."""

ENOUGH_BYTES = 200_000_000
"""A queue that holds pictures of so much takes no more, however few they are: two frames of 8K."""


class _PictureQueue(queue.Queue[T]):
    """A queue of tuples that is also full when the pictures in it are large."""

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self._bytes = 0

    def _qsize(self) -> int:
        return self.maxsize if self._bytes >= ENOUGH_BYTES else super()._qsize()

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
    """The ``items``, at most ``most`` of them (fewer large frames) read ahead; iterated once.

    They are read by a thread of its own from the first on to :meth:`close`, which waits until it is out of
    ``items``. An error of theirs is raised behind the last item before it.
    """

    def __init__(self, items: Iterable[T], most: int = MOST_WAITING) -> None:
        self._queue: queue.Queue[tuple[T, None] | tuple[None, BaseException | None]] = _PictureQueue(most)
        self._unwanted = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(items,), name="reading ahead", daemon=True)

    def __iter__(self) -> Iterator[T]:
        self._thread.start()  # not before: a signal ahead of the block would leave it behind
        while True:
            with uninterrupted():  # a signal between two locks of the queue would leave one of them held
                try:
                    item, error = self._queue.get(timeout=_PATIENCE_S)
                except queue.Empty:
                    continue
            if error is not None:
                raise error
            if item is None:
                return
            yield item

    def close(self) -> None:
        """End the thread, after the item that it is reading; closing twice is fine."""
        self._unwanted.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _read(self, items: Iterable[T]) -> None:
        error: BaseException | None = None
        try:
            for item in items:
                if not self._put((item, None)):
                    return
        except BaseException as caught:  # noqa: BLE001 - it is raised where the items are used
            error = caught
        self._put((None, error))

    def _put(self, entry: tuple[T, None] | tuple[None, BaseException | None]) -> bool:
        """Queue ``entry``. Returns whether it is still wanted."""
        while not self._unwanted.is_set():
            try:
                self._queue.put(entry, timeout=_PATIENCE_S)
            except queue.Full:
                continue
            return True
        return False


class WriteBehind(Closing, Generic[*Ts]):
    """Calls ``write`` with what it is given, in order, in a thread of its own, at most ``most``
    calls late, fewer with large frames.

    An error of ``write`` is raised by the next call or by :meth:`close`, and nothing is written after it.
    """

    def __init__(self, write: Callable[[*Ts], None], most: int = MOST_WAITING) -> None:
        self._write = write
        self._queue: queue.Queue[tuple[*Ts] | None] = _PictureQueue(most)
        self._error: BaseException | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="writing behind", daemon=True)

    def __call__(self, *what: *Ts) -> None:
        """Write ``what`` soon; waits while ``most`` calls are not done."""
        if self._thread.ident is None:
            self._thread.start()
        self._put(what)
        self._raise()

    def close(self) -> None:
        """Write all that waits, then end the thread; closing twice is fine.

        An interruption meanwhile drops what waits.
        """
        if self._thread.ident is None:
            return
        try:
            self._put(None)
            while self._thread.is_alive():
                self._thread.join(_PATIENCE_S)
        except BaseException:
            self._stopped.set()
            self._thread.join()
            raise
        self._raise()

    def _put(self, entry: tuple[*Ts] | None) -> None:
        while not self._stopped.is_set():
            with uninterrupted():  # as in ReadAhead
                try:
                    self._queue.put(entry, timeout=_PATIENCE_S)
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
                entry = self._queue.get(timeout=_PATIENCE_S)
                if entry is None:
                    break
                self._write(*entry)
            except queue.Empty:
                continue
            except BaseException as caught:  # noqa: BLE001 - it is raised where the thread was started
                self._error = caught
                break
        self._stopped.set()
