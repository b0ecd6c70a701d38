"""Admission by host, origin and token, as ASGI scopes, and the headers of every answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from tracker.serve.guard import HEADERS, Guard, Policy

TOKEN = "0123456789abcdef"
LOCAL = Policy(frozenset({"localhost", "127.0.0.1", "::1"}))
OPEN = Policy(frozenset({"robot", "localhost"}), addresses=True, token=TOKEN)


def scope(
    *headers: tuple[str, str],
    host: str | None = "localhost:8468",
    path: str = "/api/info",
    kind: str = "http",
    query: str = "",
) -> dict[str, Any]:
    hosts = [("host", host)] if host is not None else []
    return {
        "type": kind,
        "path": path,
        "method": "GET",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in (*hosts, *headers)],
    }


def status(policy: Policy, request: dict[str, Any]) -> int | None:
    refusal = policy.refusal(request)
    return refusal.status if refusal else None


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1:8468", "[::1]:8468", "[::1]", "localhost:9000"]
)
def test_names_of_this_computer_are_known_on_any_port(host: str) -> None:
    assert status(LOCAL, scope(host=host)) is None


@pytest.mark.parametrize(
    "host",
    [
        *("evil.com", "localhost.evil.com", "evil.com:8468", "127.0.0.2", "192.168.0.7", "2130706433"),
        *("", ":8468", "[::1", "[::1]x", "localhost:", "localhost:80:80", "localhost:a", "[localhost]:x"),
        *("127.0.0.1.nip.io", "localhost@evil.com", "localhost/..", "::1", "0", "localhost, evil.com"),
    ],
)
def test_other_hosts_are_refused(host: str) -> None:
    assert status(LOCAL, scope(host=host)) == 403


@pytest.mark.parametrize("host", ["192.168.0.7:8468", "[fe80::1]:8468", "robot"])
def test_an_open_server_is_known_by_its_names_and_any_address(host: str) -> None:
    bearer = ("authorization", f"Bearer {TOKEN}")
    assert status(OPEN, scope(bearer, host=host)) is None
    assert status(OPEN, scope(bearer, host="evil.com")) == 403


def test_a_request_has_one_host() -> None:
    assert status(LOCAL, scope(host=None)) == 400
    assert status(LOCAL, scope(("host", "localhost"))) == 400


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    "header",
    [
        ("origin", "http://evil.com"),
        ("origin", "null"),
        ("origin", ""),
        ("origin", "localhost:8468"),
        ("origin", "http://localhost"),
        ("origin", "http://localhost:3000"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", ""),
    ],
)
def test_other_origins_are_refused(kind: str, header: tuple[str, str]) -> None:
    path = "/ws/camera" if kind == "websocket" else "/api/faces"
    assert status(LOCAL, scope(header, kind=kind, path=path)) == 403


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("origin", "http://localhost:8468"),),
        (("origin", "https://LOCALHOST:8468"), ("sec-fetch-site", "same-origin")),
        (("sec-fetch-site", "none"),),
    ],
)
def test_programs_and_the_page_itself_are_let_in(headers: tuple[tuple[str, str], ...]) -> None:
    assert status(LOCAL, scope(*headers, path="/api/faces")) is None
    assert status(LOCAL, scope(*headers, kind="websocket", path="/ws/live")) is None


def test_a_link_on_another_page_may_lead_to_the_page_only() -> None:
    link = ("sec-fetch-site", "cross-site")
    assert status(LOCAL, scope(link, path="/")) is None
    assert status(LOCAL, scope(link, path="/api/live.mjpg")) == 403


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("authorization", f"Bearer {TOKEN}x"),),
        (("authorization", TOKEN),),
        (("authorization", f"Basic {TOKEN}"),),
        (("authorization", "Bearer "),),
        (("authorization", "Bearer \xff"),),
        (("cookie", f"other={TOKEN}"),),
        (("cookie", "tracker="),),
        (("cookie", "tracker=\xff; ;;="),),
    ],
)
def test_without_the_token_nothing_is_answered(headers: tuple[tuple[str, str], ...]) -> None:
    for path in ("/", "/page/main.js", "/api/info", "/api/faces", "/api/live.mjpg", "/nothing"):
        assert status(OPEN, scope(*headers, path=path)) == 401
    assert status(OPEN, scope(*headers, path="/ws/live", kind="websocket")) == 401
    assert status(OPEN, scope(*headers, path="/api/health")) is None


@pytest.mark.parametrize(
    "header",
    [
        ("authorization", f"Bearer {TOKEN}"),
        ("authorization", f"bearer  {TOKEN}"),
        ("cookie", f"tracker={TOKEN}"),
        ("cookie", f'a=b; tracker="{TOKEN}"; c=d'),
        # Cookies of a host belong to all of its ports: other programs set these.
        ("cookie", f'prefs={{"x": 1}}; tracker={TOKEN}'),
        ("cookie", f"name=a b; a,b=1; nothing; \xfc=\xfc; tracker={TOKEN}"),
        ("cookie", f"tracker=old; tracker={TOKEN}"),
    ],
)
def test_the_token_comes_as_a_bearer_token_or_a_cookie(header: tuple[str, str]) -> None:
    assert status(OPEN, scope(header)) is None


@given(st.text(max_size=40))
def test_no_other_text_is_the_token(text: str) -> None:
    assert OPEN.accepts(text) == (text == TOKEN)
    assert not LOCAL.accepts(text)


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
    await send({"type": "http.response.start", "status": 200, "headers": [(b"cache-control", b"mine")]})
    await send({"type": "http.response.body", "body": b""})


def answered(guard: Guard, request: dict[str, Any]) -> tuple[int, dict[str, str]]:
    """Return status and headers of the answer of ``guard``."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    asyncio.run(guard(request, receive, send))
    pairs = [(key.decode(), value.decode()) for key, value in sent[0]["headers"]]
    assert len(dict(pairs)) == len(pairs)
    return sent[0]["status"], dict(pairs)


def test_the_address_with_the_token_is_exchanged_for_a_cookie() -> None:
    guard = Guard(_nothing, OPEN, pytest.fail)
    code, headers = answered(guard, scope(path="/", query=f"token={TOKEN}"))
    assert (code, headers["location"]) == (303, "/")
    flags = {part.strip().lower() for part in headers["set-cookie"].split(";")}
    assert {f"tracker={TOKEN}", "httponly", "samesite=strict", "path=/"} <= flags
    assert "secure" not in flags


@pytest.mark.parametrize(
    "given_",
    [
        scope(path="/", query="token=wrong"),
        scope(path="/", query=f"token={TOKEN}&token=x"),
        scope(path="/", query=f"token=x{TOKEN}"),
        scope(path="/api/info", query=f"token={TOKEN}"),
        {**scope(path="/", query=f"token={TOKEN}"), "method": "POST"},
    ],
)
def test_nothing_else_gets_the_cookie(given_: dict[str, Any]) -> None:
    code, headers = answered(Guard(_nothing, OPEN, pytest.fail), given_)
    assert code == 401
    assert "set-cookie" not in headers
    assert headers["www-authenticate"] == "Bearer"


def test_a_wrong_host_does_not_get_the_cookie_even_with_the_token() -> None:
    request = scope(path="/", query=f"token={TOKEN}", host="evil.com")
    assert answered(Guard(_nothing, OPEN, pytest.fail), request)[0] == 403


def test_every_answer_has_the_headers_once() -> None:
    for request in (scope(path="/"), scope(host="evil.com")):
        _, headers = answered(Guard(_nothing, LOCAL, pytest.fail), request)
        assert {name.lower() for name in HEADERS} <= set(headers)
        assert not [name for name in headers if name.startswith("access-control")]
    assert answered(Guard(_nothing, LOCAL, pytest.fail), scope(path="/"))[1]["cache-control"] == "mine"


def test_an_unforeseen_error_is_said_and_answered() -> None:
    said: list[str] = []

    async def fails(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
        raise ZeroDivisionError("why")

    code, _ = answered(Guard(fails, LOCAL, said.append), scope())
    assert code == 500
    assert said == ["an unexpected error on '/api/info': ZeroDivisionError: why"]
