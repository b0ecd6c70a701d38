"""Listening socket and TLS of the server, with errors that say what to type."""

from __future__ import annotations

import errno
import socket
import ssl

from tracker.errors import ServeError
from tracker.serve.settings import Access

BACKLOG = 128
"""Connections that wait to be accepted, and that are accepted at once before others are closed."""


def bind(access: Access) -> socket.socket:
    """Return a socket that listens at host and port of ``access``.

    Raises :class:`~tracker.errors.ServeError` if the address is taken, not allowed, or none of this computer.
    """
    host, port = access.host, access.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        listening = socket.create_server(address, family=family, backlog=BACKLOG)
        # Inherited by its connections. Without it the body of an answer waits some 40 ms for the client to
        # acknowledge the headers (RFC 896 meets RFC 1122, section 4.2.3.2). asyncio sets it only for sockets
        # that name their protocol, which those of create_server do not.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except (socket.gaierror, UnicodeError) as error:
        raise ServeError(
            f"host {host!r} has no address: give --host 127.0.0.1, or 0.0.0.0 for all of this computer, "
            "and the port as --port"
        ) from error
    except OSError as error:
        raise ServeError(f"cannot listen on port {port} of {host}: {_remedy(error, port)}") from error


def _remedy(error: OSError, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"another program has it: give --port {port % 65535 + 1}, or --port 0 for a free one"
    if error.errno == errno.EACCES:
        return "only an administrator may: give --port 8468"
    if error.errno in (errno.EADDRNOTAVAIL, errno.EINVAL):  # the latter for IPv6
        return "this computer has no such address: give --host 127.0.0.1, or 0.0.0.0 for all it has"
    return str(error.strerror or error)


def tls_context(access: Access) -> ssl.SSLContext | None:
    """Return the TLS settings with the certificate of ``access``, None without one.

    Raises :class:`~tracker.errors.ServeError` if certificate or key cannot be used.
    """
    if access.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(access.certificate, access.key, password=_no_password)
    except ssl.SSLError as error:
        why = f" ({error.reason})" if error.reason else ""
        raise ServeError(
            f"{access.certificate} and its key are no pair for TLS{why}: give PEM files "
            "with --certificate and --key, the key without a password"
        ) from error
    except OSError as error:
        names = " or ".join(str(path) for path in (access.certificate, access.key) if path)
        raise ServeError(f"cannot read {names}: {error.strerror or error}") from error
    return context


def _no_password() -> str:
    return ""  # never ask on the terminal: a server starts unattended
