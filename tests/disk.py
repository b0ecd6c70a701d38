"""Full disks, simulated by a limit of the size of files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def file_size_limit(n_bytes: int) -> Iterator[None]:
    """Let writing beyond ``n_bytes`` of a file fail in this process; skips where there are no limits.

    Use it around the writes only, never as a fixture: the limit holds for pytest's own report, too.
    """
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
