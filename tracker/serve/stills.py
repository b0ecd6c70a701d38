"""Still pictures, each treated on its own: in a thread, or in processes that share nothing."""

from __future__ import annotations

import functools
import json
import multiprocessing
import os
import signal
import threading
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from tracker.serve.models import Models
from tracker.serve.pictures import decode
from tracker.sinks.line_records import line_record
from tracker.system.closing import Closing
from tracker.system.signals import interrupts_ignored
from tracker.tracking.opening import OpenedTracker, TrackerOptions, keep_opencv_to_one_thread
from tracker.types import Frame


def find_faces(tracker: OpenedTracker, data: bytes, most_pixels: int) -> str:
    """Return the JSON line of the picture in the image file ``data``; raises as :func:`decode`."""
    result = tracker.find(Frame(decode(data, most_pixels)))
    return json.dumps(line_record(result), ensure_ascii=False, allow_nan=False)


class Stills(Closing):
    """Still pictures found one after the other in a thread, on the trackers of ``models``.

    The thread is not that of the streams: a large picture must not hold them up.
    """

    def __init__(self, models: Models, most_pixels: int) -> None:
        self._models, self._most_pixels = models, most_pixels
        self._executor: Executor = ThreadPoolExecutor(1, "stills")

    def find(self, model: str, data: bytes) -> Future[str]:
        """Return the future JSON line of a picture; its exceptions are those of :func:`find_faces`."""
        return self._executor.submit(self._find, model, data)

    def close(self) -> None:
        """End after the picture that is being treated; closing twice is fine."""
        self._executor.shutdown(cancel_futures=True)

    def _find(self, model: str, data: bytes) -> str:
        return find_faces(self._models.get(model), data, self._most_pixels)


class ProcessStills(Closing):
    """Still pictures treated by ``count`` processes, each with trackers of its own on ``options``.

    If one dies, the pictures being treated fail with ``BrokenProcessPool``, and the next picture begins new
    processes.
    """

    def __init__(self, count: int, options: TrackerOptions, most_pixels: int) -> None:
        self._count, self._options, self._most_pixels = count, options, most_pixels
        self._executor = self._begin()

    def find(self, model: str, data: bytes) -> Future[str]:
        """Return the future JSON line of a picture; its exceptions are those of :func:`find_faces`."""
        job = functools.partial(_find_in_process, self._options, model, data, self._most_pixels)
        try:
            return self._executor.submit(job)
        except BrokenProcessPool:
            self._executor.shutdown(wait=False)
            self._executor = self._begin()
            return self._executor.submit(job)

    def close(self) -> None:
        """End the processes after the pictures that are being treated; closing twice is fine."""
        self._executor.shutdown(cancel_futures=True)

    def _begin(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        executor = ProcessPoolExecutor(self._count, context, _begin_process, (self._options,))
        with interrupts_ignored():
            for _ in range(self._count):
                executor.submit(os.getpid)  # begins one process each, before the first picture
        return executor


def _begin_process(options: TrackerOptions) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # not inherited on Windows
    threading.Thread(target=_end_with_parent, name="parent watch", daemon=True).start()
    keep_opencv_to_one_thread()
    _models_of(options)


def _end_with_parent() -> None:
    """End this process when the server was killed: its queue stays open as long as a worker has it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@functools.cache
def _models_of(options: TrackerOptions) -> Models:
    """Return the models of this process, which stay open until it ends."""
    return Models(options)


def _find_in_process(options: TrackerOptions, model: str, data: bytes, most_pixels: int) -> str:
    return find_faces(_models_of(options).get(model), data, most_pixels)
