"""Inference backends by name: ``cpu``, ``cuda`` and ``openvino``.

A backend given by name opens, or a :class:`BackendError` is raised; another one is never used in its place.
``auto`` tries the backends in the order of :func:`auto_order` and takes the first that opens.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from tracker.errors import BackendError, MisuseError
from tracker.inference.sessions import CudaSession, OpenVinoSession, OrtSession, Session
from tracker.system.machine import cpu_flags, usable_cores

log = logging.getLogger(__name__)

OPENERS: Mapping[str, Callable[[Path, int], Session]] = {
    "cuda": CudaSession,
    "openvino": OpenVinoSession,
    "cpu": lambda model, threads: OrtSession(model, "cpu", threads),
}
"""Functions that open a model file with a number of threads, by name of the backend."""

BACKENDS: tuple[str, ...] = tuple(OPENERS)
"""Names of the backends."""

MOST_THREADS = 256
"""Threads that a model may have; starting many more takes minutes, or all memory."""

_OPENVINO_IS_FASTER_WITH = frozenset({"avx512_vnni", "avx_vnni", "amx_int8"})


def auto_order(flags: Collection[str]) -> tuple[str, ...]:
    """Return the backends in the order in which ``auto`` tries them, the fastest first.

    OpenVINO has the better eight-bit kernels. On a processor whose ``flags`` lack the instructions for them
    it is no faster than ONNX Runtime, and slower together with the detector, which runs on ONNX Runtime.
    """
    if _OPENVINO_IS_FASTER_WITH.isdisjoint(flags):
        return ("cuda", "cpu", "openvino")
    return ("cuda", "openvino", "cpu")


def open_session(model: Path, backend: str = "auto", threads: int = 0) -> Session:
    """Open the ONNX file ``model`` on ``backend`` with ``threads`` (0: one per core, at most 4).

    Raises :class:`BackendError` for an unknown backend and for one that does not open, and
    :class:`~tracker.errors.MisuseError` unless ``threads`` lies in 0..:data:`MOST_THREADS`.
    """
    return open_first(lambda _: model, backend, threads).session


class Opened(NamedTuple):
    """A session and the name of its backend."""

    backend: str
    session: Session


def open_first(model_for: Callable[[str], Path], backend: str = "auto", threads: int = 0) -> Opened:
    """Open a model on ``backend``; ``model_for`` returns the file for the name of a backend.

    It is called only for the backends that are tried. ``threads`` and errors are those of
    :func:`open_session`.
    """
    if not 0 <= threads <= MOST_THREADS:
        raise MisuseError(f"threads is a whole number (int) in 0..{MOST_THREADS}, got {threads!r:.60}")
    threads = threads or default_threads()
    if backend != "auto" and backend not in OPENERS:
        raise BackendError(f"unknown backend {backend!r}: choose one of auto, {', '.join(BACKENDS)}")
    if backend != "auto":
        return Opened(backend, OPENERS[backend](model_for(backend), threads))
    failures: list[str] = []
    for name in auto_order(cpu_flags()):
        try:
            return Opened(name, OPENERS[name](model_for(name), threads))
        except BackendError as error:
            log.info("backend %s: %s", name, error)
            failures.append(str(error))
    raise BackendError(f"no backend opens this model: {'; '.join(failures)}")


def default_threads() -> int:
    """Return the default number of threads: one per usable core, at most 4, as the networks are small."""
    return min(usable_cores(), 4)
