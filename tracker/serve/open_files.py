"""Limit on open connections: what the clients need, and what the system allows."""

from __future__ import annotations

from contextlib import suppress

_RESERVED = 128  # files that are no connections: models, camera, video, page, processes
_SPARE = 64


def most_connections(clients: int) -> int:
    """Return how many connections may be open for so many ``clients`` that are served at once.

    A browser opens several, and those that are refused are open for a while. The soft limit of this process
    on open files is raised if it is too low for them, and bounds them where the system does not allow that.
    """
    wanted = 4 * clients + _SPARE
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    needed = wanted + _RESERVED
    if needed > soft:
        raised = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        with suppress(ValueError, OSError):  # a system may have another limit below the hard one
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(min(wanted, soft - _RESERVED), 1)
