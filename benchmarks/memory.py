"""Resident memory of this process."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from tracker.errors import BenchError


@dataclass(frozen=True)
class Memory:
    """Resident memory after ``frames`` frames, in units of 10**6 bytes."""

    frames: int
    megabytes: float


def resident_mb() -> float:
    """Return the resident memory in units of 10**6 bytes; on macOS the largest so far.

    Raises :class:`~tracker.errors.BenchError` on systems that do not report it.
    """
    statm = Path("/proc/self/statm")
    if statm.exists():
        return round(int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)
    if sys.platform == "darwin":
        import resource

        return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 1)
    raise BenchError("this system does not say how much memory a process holds")


def memory_table(title: str, memory: Sequence[Memory]) -> Table:
    """Return a table with a row for each measurement."""
    table = Table(title=title, title_justify="left")
    for header in ("frames", "resident memory, MB"):
        table.add_column(header, justify="right")
    for one in memory:
        table.add_row(str(one.frames), f"{one.megabytes:.1f}")
    return table
