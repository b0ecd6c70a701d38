"""Failures of a step that the user can mend, in one line: no memory, or another process that has ended."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import cv2
import lightning_fabric
import torch

from train.errors import OwnProcessError, RunError

CAUGHT = (RuntimeError, MemoryError, cv2.error)
"""Exceptions that may mean either; of RuntimeError only some are, see :func:`explained`."""

_NO_MEMORY = (
    "can't allocate memory",
    "not enough memory",
    "out of memory",
    "Insufficient memory",
    "ALLOC_FAILED",
    "MemoryError",
    "killed by signal: Killed",
    "Bus error",
)
"""Texts of torch, its CPU allocator, cuDNN, OpenCV and, the last two, of workers that the system ended."""

_PEER_LOST = ("closed by peer", "reset by peer", "Broken pipe", "NCCL", "ProcessGroup", "Gloo")

_GRACE_S = 2.0
"""Seconds in which a first process that fails as well, and says so, ends the others."""

_POLL_S, _EXIT_S, _PATIENCE_S = 0.5, 10.0, 30.0
"""Seconds between two looks at the other processes, from a lost connection until the process that ended it is
gone, and from a failure until all are ended by force."""


def explained(error: BaseException, remedy: str, fabric: lightning_fabric.Fabric) -> BaseException:
    """Return the one-line error for ``error``, with ``remedy`` for lack of memory, or ``error`` itself."""
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or any(sign in text for sign in _NO_MEMORY):
        return _own(f"there is not enough memory on {fabric.device}: {remedy}", fabric)
    if fabric.world_size > 1 and any(sign in text for sign in _PEER_LOST):
        return _peer_lost(remedy, fabric)
    return error


@contextmanager
def ending_together(fabric: lightning_fabric.Fabric) -> Iterator[None]:
    """End the processes that this one started if the block fails, and this one if one of them has failed.

    Fabric watches them as well, but kills this process at once, which then cannot say why.
    """
    launcher: Any = fabric.strategy.launcher
    processes: list[subprocess.Popen[bytes]] = getattr(launcher, "procs", [])
    if processes:
        launcher.procs = list(processes)
        processes.clear()  # the list that Fabric watches
    done = threading.Event()
    threading.Thread(target=_watch, args=(_started(fabric), done), daemon=True).start()
    try:
        yield
    except BaseException:
        for process in _started(fabric):
            process.kill()
        raise
    finally:
        done.set()


def _watch(processes: Sequence[subprocess.Popen[bytes]], done: threading.Event) -> None:
    """End all processes if one has failed and this one, in an exchange with it, has not noticed in time."""
    while processes and not done.wait(_POLL_S):
        if any(process.poll() for process in processes) and not done.wait(_PATIENCE_S):
            sys.stderr.write("train: another process of this run has failed: all of them end\n")
            for process in processes:
                process.kill()
            os._exit(1)


def _started(fabric: lightning_fabric.Fabric) -> Sequence[subprocess.Popen[bytes]]:
    return getattr(fabric.strategy.launcher, "procs", ())


def _own(text: str, fabric: lightning_fabric.Fabric) -> RunError:
    """Return an error of this process alone, which it tells itself: the first cannot know of it."""
    if fabric.is_global_zero:
        return RunError(text)
    time.sleep(_GRACE_S)
    return OwnProcessError(f"process {fabric.global_rank + 1} of {fabric.world_size}: {text}")


def _peer_lost(remedy: str, fabric: lightning_fabric.Fabric) -> BaseException:
    """Return the end of this process, with a line only if the one that was lost could not write any."""
    if not fabric.is_global_zero:
        return SystemExit(1)
    codes: list[int] = []
    deadline = time.monotonic() + _EXIT_S
    while not codes and time.monotonic() < deadline:
        time.sleep(0.05)
        codes = [code for process in _started(fabric) if (code := process.poll())]
    if 1 in codes:
        return SystemExit(1)
    if codes:
        signal = f"signal {-codes[0]}" if codes[0] < 0 else f"an error, code {codes[0]}"
        return RunError(f"another process of this run was ended by {signal}: if memory ran out, {remedy}")
    return RunError("another process of this run has ended: its own machine says why; go on with --resume")
