"""The server as a process: its address, who is let in, signals, and the end."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from ipaddress import ip_address
from types import FrameType
from typing import Any, cast

import uvicorn

from tracker.errors import ServeError
from tracker.serve.app import create_app
from tracker.serve.binding import BACKLOG, bind, tls_context
from tracker.serve.guard import Policy
from tracker.serve.live_source import LiveSource
from tracker.serve.open_files import most_connections
from tracker.serve.protocols import HttpProtocol, SocketProtocol
from tracker.serve.service import Service
from tracker.serve.settings import Access, ServerSettings
from tracker.serve.stalled import StalledConnections
from tracker.serve.static import StaticFile, load_page
from tracker.system.closing import Closing
from tracker.system.signals import raise_swallowed

Say = Callable[[str], None]

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # those that a system has
_DRAIN_S = 1.0
_CLOSE_S = 0.3
_GIVE_UP_S = 0.2
_GIVE_UP_CLUSTER_S = 1.8  # its nodes must hear of the end
_LOOK_S = 0.02
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class Listener(Closing):
    """Listening socket of a server at ``access``, and the rules that follow from it; a context manager.

    Anything but a loopback address gets a token, unless one was given. Raises
    :class:`~tracker.errors.ServeError` if the address cannot be bound, or the certificate cannot be used.
    """

    def __init__(self, access: Access) -> None:
        self.tls = tls_context(access)
        self.socket = bind(access)
        self._bound = self.socket.getsockname()
        self.is_local = ip_address(self._bound[0]).is_loopback
        token = access.token or (None if self.is_local else secrets.token_urlsafe(24))
        self.access = replace(access, port=self._bound[1], token=token)

    @property
    def policy(self) -> Policy:
        """Rules for letting requests in."""
        access = self.access
        names = _LOCAL_NAMES | {name.lower() for name in (access.host, *access.names)}
        if not self.is_local:
            host = socket.gethostname().lower()
            names |= {host, f"{host}.local"}
        return Policy(
            names=names,
            addresses=not self.is_local,
            token=access.token,
            cookie=f"tracker-{access.port}",  # cookies are those of all ports of a host
            secure=access.certificate is not None,
        )

    @property
    def addresses(self) -> tuple[str, ...]:
        """Addresses of the page, with the token; the first one is for this computer."""
        access = self.access
        is_any = ip_address(self._bound[0]).is_unspecified
        hosts = ("localhost", socket.gethostname()) if is_any else (access.host,)
        query = f"?token={access.token}" if access.token else ""
        shown = [f"[{host}]" if ":" in host else host for host in (*hosts, *access.names)]
        return tuple(f"{access.scheme}://{host}:{access.port}/{query}" for host in shown)

    def close(self) -> None:
        """Close the socket; closing twice is fine."""
        self.socket.close()


class _Server(uvicorn.Server):
    """Uvicorn's server, which leaves the signals alone: answers are finished before it ends."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def run_server(
    listener: Listener,
    settings: ServerSettings,
    source: LiveSource | None,
    say: Say,
    announce: Callable[[], None],
) -> None:
    """Serve on ``listener`` until a signal comes, and raise its exception then.

    ``source`` is the server's own camera or film, which is closed at the end. ``announce`` is called once the
    server answers. Within two seconds of the signal, five with a cluster, answers in progress are finished,
    and all connections closed. Call it from the main thread.

    Raises ``KeyboardInterrupt`` after Ctrl-C, ``SystemExit`` with 128 + signal number after another signal,
    :class:`~tracker.errors.ServeError` if the server ends without one, and as
    :class:`~tracker.serve.service.Service` does.
    """
    page = load_page()
    with Service(replace(settings, access=listener.access), source, say) as service:
        server = _Server(_config(listener, service, page))
        raise_swallowed()
        number = asyncio.run(_serve(server, listener, service, announce))
        has_ended = _give_up_later(number, _GIVE_UP_S if settings.ray is None else _GIVE_UP_CLUSTER_S)
    has_ended.set()
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(128 + number)


def _give_up_later(number: int, after_s: float) -> threading.Event:
    """End the process with the code of signal ``number`` unless the event is set.

    Worker processes are killed after ``after_s`` seconds, and this one ends after as many again. A thread
    cannot be stopped while a library decodes a picture. Nothing is lost: the server writes no files.
    """
    has_ended = threading.Event()

    def give_up() -> None:
        if has_ended.wait(after_s):
            return
        for worker in multiprocessing.active_children():
            worker.kill()
        if not has_ended.wait(after_s):
            os._exit(128 + number)

    threading.Thread(target=give_up, name="give up", daemon=True).start()
    return has_ended


def _config(listener: Listener, service: Service, page: dict[str, StaticFile]) -> uvicorn.Config:
    tls = listener.tls
    return uvicorn.Config(
        create_app(service, page, listener.policy),
        http=cast(
            type[asyncio.Protocol],
            partial(HttpProtocol, most_connections=most_connections(service.settings.limits.connections)),
        ),
        ws=SocketProtocol,
        loop="asyncio",
        lifespan="off",
        backlog=BACKLOG,
        log_config=None,
        log_level=logging.CRITICAL + 1,  # the guard reports errors; requests must not be logged
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ws_max_size=service.settings.limits.message_bytes,
        ws_per_message_deflate=False,  # pictures are compressed
        ssl_context_factory=(lambda *_: tls) if tls else None,
    )


async def _serve(
    server: uvicorn.Server, listener: Listener, service: Service, announce: Callable[[], None]
) -> int:
    """Serve until a signal comes, and return its number."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(partial(_report, service.say))
    stop: asyncio.Future[int] = loop.create_future()
    if service.live:
        service.live.start()
    connections = server.server_state.connections
    stalled = StalledConnections(connections, service.settings.limits.stalled_s)
    watching = asyncio.create_task(stalled.watch())
    serving = asyncio.create_task(server.serve([listener.socket]))
    try:
        with _signals_to(stop):
            while not (server.started or serving.done()):
                await asyncio.sleep(_LOOK_S)
            announce()
            await asyncio.wait((stop, serving), return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                await serving
                raise ServeError("the server ended by itself: start it again")
            await _end(server, service)
            await asyncio.wait((serving,), timeout=_CLOSE_S)
            for connection in list(connections):
                connection.transport.abort()  # of clients that read nothing
            server.force_exit = True  # wait for no answer that is still being made
            await serving
    finally:
        watching.cancel()
    return stop.result()


def _report(say: Say, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Say in one line what the event loop would log with a traceback."""
    error = context.get("exception")
    why = f" ({type(error).__name__}: {error})" if error else ""
    say(f"an unexpected error: {context['message']}{why}")


async def _end(server: uvicorn.Server, service: Service) -> None:
    """Take no new connections, and let the answers in progress be finished."""
    for listening in server.servers:
        listening.close()
    service.ending.set()
    end_s = time.monotonic() + _DRAIN_S
    while service.seats.taken and time.monotonic() < end_s:
        await asyncio.sleep(_LOOK_S)
    server.should_exit = True


@contextmanager
def _signals_to(stop: asyncio.Future[int]) -> Iterator[None]:
    """Let the first signal be the result of ``stop``, instead of an exception in the middle of the loop."""
    loop = asyncio.get_running_loop()

    def on_signal(number: int, _: FrameType | None) -> None:
        loop.call_soon_threadsafe(lambda: None if stop.done() else stop.set_result(number))

    numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    taken = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    for number in taken:
        signal.signal(number, on_signal)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, before[number])
