"""How much memory this process holds."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tracker.errors import BenchError


def resident_mb() -> float:
    """Resident memory now; on macOS, which tells no more, the largest so far.

    Raises :class:`~tracker.errors.BenchError` where the system does not tell.
    """
    statm = Path("/proc/self/statm")
    if statm.exists():
        return round(int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)
    if sys.platform == "darwin":
        import resource

        return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 1)
    raise BenchError("this system does not say how much memory a process holds")
