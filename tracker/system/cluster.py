"""Connection to a Ray cluster (extra ``cluster``)."""

from __future__ import annotations

import os
import signal
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from tracker.distribution import install_command
from tracker.errors import ClusterError

_ANSWER_S = 5.0
_FRAME_HEAD = 9  # bytes
_MOST_CHARACTERS = 200
_SETTINGS = b"\x04"
_HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + _SETTINGS + bytes(5)


def import_ray(part: str = "ray") -> Any:
    """Return the module ``ray``, or a ``part`` of it such as ``ray.serve``, with usage reports off.

    Raises :class:`~tracker.errors.ClusterError` where it is not installed.
    """
    # Must be set before the import: by default Ray reports its use over the network.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # of its libraries
            return import_module(part)
    except ImportError as error:
        raise ClusterError(f"--ray needs Ray ({error}): {install_command('cluster')}") from error


def connect(address: str) -> Any:
    """Connect this process to the Ray cluster at ``address``, and return the module ``ray``.

    ``auto`` is the cluster that runs on this computer. End the connection with ``ray.shutdown()``. Raises
    :class:`~tracker.errors.ClusterError` when Ray is not installed or no cluster answers.
    """
    ray = import_ray()
    _check_answers(address)
    try:
        with _sigterm_kept():
            ray.init(address=address, log_to_driver=False, logging_level="ERROR", configure_logging=False)
    except (ConnectionError, RuntimeError, ValueError, OSError, ray.exceptions.RayError) as error:
        raise _no_cluster(address, str(error).strip().partition("\n")[0]) from error
    return ray


def failure_of(error: Any) -> str:
    """Return what failed in a task of the cluster, whose ``RayTaskError`` is ``error``, in one line."""
    return " ".join(str(error.cause or error).split())[-_MOST_CHARACTERS:]


def _no_cluster(address: str, why: str) -> ClusterError:
    return ClusterError(
        f"no Ray cluster answers at {address} ({why}): start one with ray start --head, or leave --ray out"
    )


def _check_answers(address: str) -> None:
    """Raise :class:`~tracker.errors.ClusterError` if nothing that may be Ray listens at ``HOST:PORT``.

    Ray itself would try for minutes, and then end the process. It speaks gRPC, that is HTTP/2, whose first
    frame is one of settings (RFC 9113, section 3.4).
    """
    host, _, port = address.rpartition(":")
    if "://" in address or not host or not port.isdecimal():  # Ray's client has a limit of its own; auto
        return
    if os.environ.get("RAY_USE_TLS", "0").lower() in ("1", "true"):
        return
    try:
        with socket.create_connection((host.strip("[]"), int(port)), _ANSWER_S) as connection:
            connection.settimeout(_ANSWER_S)
            connection.sendall(_HTTP2_PREFACE)
            frame = b""
            while len(frame) < _FRAME_HEAD and (received := connection.recv(_FRAME_HEAD - len(frame))):
                frame += received
    except (OSError, OverflowError, UnicodeError) as error:
        raise _no_cluster(address, getattr(error, "strerror", None) or str(error)) from error
    if frame[3:4] != _SETTINGS:
        raise _no_cluster(address, "another program has this port")


@contextmanager
def _sigterm_kept() -> Iterator[None]:
    """Put back the handler of SIGTERM after the block: Ray's own would choose another exit code."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
