"""Checks of every request before anything else sees it, and headers of every answer.

A page of another origin must not use the server of whoever looks at it. The host must be one of the server's
names, or else a name that an attacker points at this computer would count as the same origin (DNS rebinding).
Browsers state the origin of each POST and WebSocket (RFC 6454, RFC 6455 section 10.2), and newer ones in
``Sec-Fetch-Site`` how it relates to the server (W3C Fetch Metadata). Programs send neither.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from tracker.serve.refusal_page import refusal_page, wants_page
from tracker.serve.sockets import FAILED, POLICY, close

CSP = (
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content security policy of all answers: nothing is loaded from, or sent to, anywhere else."""

HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}
"""Headers of all answers."""

_HOST = re.compile(r"(?:\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::[0-9]{1,5})?")

_OPEN_PATHS = frozenset({"/api/health"})
"""Paths without a token: a container's health check has none."""


@dataclass(frozen=True)
class Refusal:
    """Answer to a request that is not let in: an HTTP status, and one line why."""

    status: int
    why: str


@dataclass(frozen=True)
class Policy:
    """Rules for letting requests in.

    ``names`` are the host names of the server in lower case, ``addresses`` whether any IP address is one,
    too: an attacker can point a name at this server, but not make an address his. ``token`` is asked of
    everyone unless it is None, in a cookie named ``cookie`` or as a bearer token (RFC 6750). ``secure`` marks
    the cookie for TLS only.
    """

    names: frozenset[str]
    addresses: bool = False
    token: str | None = None
    cookie: str = "tracker"
    secure: bool = False

    def refusal(self, scope: Scope) -> Refusal | None:
        """Return why the request of an ASGI ``scope`` is refused, None if it is let in."""
        headers = _Headers(scope)
        hosts = headers.all("host")
        if len(hosts) != 1:
            return Refusal(400, "a request has exactly one Host header")
        if not self._knows(hosts[0]):
            name = host_name(hosts[0])[:100]
            remedy = f": start it with --allow-host {name}" if name else ""
            return Refusal(403, f"{name or hosts[0][:100]!r} is no name of this server{remedy}")
        if not _is_same_origin(headers, hosts[0], scope):
            return Refusal(403, "pages of other origins may not use this server")
        if self.token and scope["path"] not in _OPEN_PATHS and not self._has_token(headers):
            return Refusal(401, "a token is needed: open the address that the server printed when it started")
        return None

    def accepts(self, token: str) -> bool:
        """Return whether ``token`` is right, in a time that does not depend on it."""
        return self.token is not None and hmac.compare_digest(token.encode(), self.token.encode())

    def _knows(self, host: str) -> bool:
        name = host_name(host)
        if name in self.names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return self.addresses

    def _has_token(self, headers: _Headers) -> bool:
        for value in headers.all("authorization"):
            kind, _, token = value.partition(" ")
            if kind.lower() == "bearer" and self.accepts(token.strip()):
                return True
        # By hand: http.cookies reads none where a program on another port of this host has set an odd one.
        return any(
            name.strip() == self.cookie and self.accepts(token.strip().strip('"'))
            for value in headers.all("cookie")
            for name, _, token in (part.partition("=") for part in value.split(";"))
        )


class _Headers:
    def __init__(self, scope: Scope) -> None:
        self._pairs = scope["headers"]

    def all(self, name: str) -> list[str]:
        wanted = name.encode()
        return [value.decode("latin-1") for key, value in self._pairs if key.lower() == wanted]


def host_name(host: str) -> str:
    """Return the name in a Host header, in lower case, without port and brackets; empty if malformed.

    Ports are not compared: a tunnel may have another one.
    """
    found = _HOST.fullmatch(host.strip().lower())
    return (found["address"] or found["name"]) if found else ""


def _is_same_origin(headers: _Headers, host: str, scope: Scope) -> bool:
    origins = headers.all("origin")
    if any(origin.lower().partition("://")[2] != host.strip().lower() for origin in origins):
        return False
    if scope["type"] == "http" and not scope["path"].startswith("/api/"):
        return True  # links on other pages may lead here
    return all(site in ("same-origin", "none") for site in headers.all("sec-fetch-site"))


class Guard:
    """ASGI application that lets requests in by a :class:`Policy` and passes them to ``app``.

    ``GET /?token=T`` exchanges the token for a cookie that scripts cannot read and other pages do not send.
    An error of ``app`` that nobody foresaw is one line for ``say``, and 500 for the client.
    """

    def __init__(self, app: ASGIApp, policy: Policy, say: Callable[[str], None]) -> None:
        self._app, self._policy, self._say = app, policy, say

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or WebSocket."""
        answer = _Answer(send)
        try:
            await self._serve(scope, receive, answer)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - the others must not lose their server
            self._say(f"an unexpected error on {scope['path'][:100]!r}: {type(error).__name__}: {error}")
            if not answer.has_begun:
                await _refuse(
                    Refusal(500, "an unexpected error, which the server reports"), scope, receive, answer
                )

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._policy.refusal(scope)
        exchanged = None if refusal and refusal.status != 401 else self._exchange(scope)
        if exchanged is not None:
            await exchanged(scope, receive, send)
        elif refusal is not None:
            await _refuse(refusal, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _exchange(self, scope: Scope) -> Response | None:
        """Return the answer to the page's address with the right token in it, else None."""
        policy = self._policy
        if not policy.token or scope["type"] != "http" or (scope["method"], scope["path"]) != ("GET", "/"):
            return None
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        if len(given) != 1 or not policy.accepts(given[0]):
            return None
        answer = RedirectResponse("/", status_code=303)
        answer.set_cookie(
            policy.cookie, policy.token, path="/", httponly=True, samesite="strict", secure=policy.secure
        )
        return answer


class _Answer:
    """Sender that adds :data:`HEADERS` to an answer and notes whether it has begun."""

    def __init__(self, send: Send) -> None:
        self.has_begun = False
        self._send = send
        self._headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]

    async def __call__(self, message: Message) -> None:
        self.has_begun = True
        if message["type"] == "http.response.start":
            given = {key.lower() for key, _ in message.get("headers", ())}
            more = [pair for pair in self._headers if pair[0] not in given]
            message = {**message, "headers": [*message.get("headers", ()), *more]}
        await self._send(message)


async def _refuse(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        # Browsers tell scripts the code of a close, but not why a handshake failed.
        socket = WebSocket(scope, receive, send)
        await socket.accept()
        await close(socket, POLICY if refusal.status < 500 else FAILED, refusal.why)
        return
    headers = {"WWW-Authenticate": "Bearer"} if refusal.status == 401 else None
    if wants_page(scope):
        answer: Response = refusal_page(refusal.status, refusal.why, headers)
    else:
        answer = JSONResponse({"error": refusal.why}, refusal.status, headers)
    await answer(scope, receive, send)
