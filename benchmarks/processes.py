"""Memory and processor time of a process and all that it has started, on Linux."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tracker.errors import BenchError

_PROC = Path("/proc")


@dataclass
class Peak:
    """Largest memory so far of a process with all that it has started, in units of 10**6 bytes.

    Pages that processes share count once, as the sum of their proportional set sizes (PSS). ``anonymous_mb``
    are those that belong to the processes alone; the others are of files, and the system drops them when
    memory is short. Each has a peak of its own.
    """

    total_mb: float = 0.0
    anonymous_mb: float = 0.0


@contextmanager
def peak_memory(pid: int, every_s: float = 0.25) -> Iterator[Peak]:
    """Watch the memory of ``pid`` and its descendants while the block runs, every ``every_s``.

    Raises :class:`~tracker.errors.BenchError` on systems that do not tell which memory is shared.
    """
    if not (_PROC / "self/smaps_rollup").exists():
        raise BenchError("only Linux says which memory processes share: measure there")
    peak, done = Peak(), threading.Event()

    def watch() -> None:
        while not done.wait(every_s):
            found = [_shares_mb(one) for one in family(pid)]
            peak.total_mb = max(peak.total_mb, round(sum(total for total, _ in found), 1))
            peak.anonymous_mb = max(peak.anonymous_mb, round(sum(own for _, own in found), 1))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()


def family(pid: int) -> list[int]:
    """Return ``pid`` and its descendants."""
    children: dict[int, list[int]] = defaultdict(list)
    for folder in _PROC.glob("[0-9]*"):
        if fields := _stat(int(folder.name)):
            children[int(fields[1])].append(int(folder.name))
    found = [pid]
    for one in found:  # grows while it is walked
        found += children[one]
    return found


def processor_s(pid: int) -> float:
    """Return the processor time in seconds that ``pid`` and its living descendants have used."""
    ticks = sum(int(fields[11]) + int(fields[12]) for one in family(pid) if (fields := _stat(one)))
    return ticks / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """Return the fields of ``/proc/PID/stat`` after the command's name, none of a process that has ended."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _shares_mb(pid: int) -> tuple[float, float]:
    """Return the proportional set size of a process and its anonymous part; 0 of one that has ended."""
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return 0.0, 0.0
    kib = {name: int(value.split()[0]) for name, _, value in (line.partition(":") for line in lines)}
    return 1.024e-3 * kib["Pss"], 1.024e-3 * kib["Pss_Anon"]
