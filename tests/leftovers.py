"""Processes and threads that a test started and left running: found, ended and reported."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

GRACE_S = 10.0
"""Time that what is just ending may take."""

PR_SET_CHILD_SUBREAPER = 36
"""Of prctl(2): orphaned descendants become children of this process instead of init's."""

SHARED_HELPERS = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")
"""Processes that the standard library starts once and ends with the interpreter."""


class LeftoversError(Exception):
    """A test has left processes or threads running."""


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent dies, so that they are found. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@contextmanager
def no_leftovers() -> Iterator[None]:
    """Kill the child processes that began inside the block and outlive it, and report them.

    Non-daemon threads that outlive it are reported. Raises :class:`LeftoversError`.
    """
    children, threads = set(running_children()), set(threading.enumerate())
    yield
    end = time.monotonic() + GRACE_S
    while left := _left(children, threads):
        if time.monotonic() > end:
            for pid in set(running_children()) - children:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            raise LeftoversError(f"still running when the test had ended: {'; '.join(left)}")
        gc.collect()  # an executor that nobody holds any more ends its threads
        time.sleep(0.05)


def running_children() -> dict[int, str]:
    """Return the command lines of this process's children by process id, zombies left out. Linux only."""
    found = {}
    for task in Path("/proc/self/task").glob("*/children"):
        for pid in map(int, _read(task).split()):
            command = _read(Path(f"/proc/{pid}/cmdline")).replace("\0", " ").strip()
            if _runs(pid) and not any(helper in command for helper in SHARED_HELPERS):
                found[pid] = command
    return found


def _left(children: set[int], threads: set[threading.Thread]) -> list[str]:
    processes = [
        f"process {pid}: {command[:200]}"
        for pid, command in running_children().items()
        if pid not in children
    ]
    return processes + [
        f"thread {thread.name}"
        for thread in threading.enumerate()
        if thread not in threads and not thread.daemon and thread.is_alive()
    ]


def _runs(pid: int) -> bool:
    state = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return bool(state) and state[0] not in "ZX"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except (OSError, ProcessLookupError):
        return ""
