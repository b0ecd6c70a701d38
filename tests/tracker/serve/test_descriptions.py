"""OpenAPI and AsyncAPI: the routes that there are, and answers of a real server that fit the schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

import pytest
from jsonschema import Draft202012Validator
from starlette.routing import Route, WebSocketRoute

from tests.cache import Clips
from tests.serving import TIMEOUT_S, Serving, live_message, message, portrait, serving
from tracker.distribution import version
from tracker.serve.app import API, Endpoints
from tracker.serve.guard import Policy
from tracker.tracking.smoothing import PRESETS

OPENAPI = json.loads((API / "openapi.json").read_text(encoding="utf-8"))
ASYNCAPI = json.loads((API / "asyncapi.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def server(clips: Clips) -> Iterator[Serving]:
    with serving("--video", clips.faces(30)) as started:
        yield started


def check(description: Any, name: str, value: Any) -> None:
    """Check ``value`` against a schema of a description."""
    Draft202012Validator({**description, "$ref": f"#/components/schemas/{name}"}).validate(value)


def routes() -> list[Any]:
    return Endpoints(cast(Any, None), {}).routes()


def test_openapi_describes_exactly_the_routes_and_methods() -> None:
    there = {
        (route.path, method.lower())
        for route in routes()
        if isinstance(route, Route) and route.path.startswith("/api/")
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert {(path, method) for path, item in OPENAPI["paths"].items() for method in item} == there


def test_asyncapi_describes_exactly_the_sockets() -> None:
    there = {route.path for route in routes() if isinstance(route, WebSocketRoute)}
    assert {channel["address"] for channel in ASYNCAPI["channels"].values()} == there
    query = ASYNCAPI["channels"]["camera"]["bindings"]["ws"]["query"]["properties"]
    assert query["smoothing"]["enum"] == list(PRESETS)


@pytest.mark.parametrize("description", [OPENAPI, ASYNCAPI])
def test_every_reference_leads_somewhere(description: Any) -> None:
    def references(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            yield from [value["$ref"]] if "$ref" in value else []
            for part in value.values():
                yield from references(part)
        elif isinstance(value, list):
            for part in value:
                yield from references(part)

    found = list(references(description))
    assert len(found) > 5
    for reference in found:
        place = description
        for key in reference.removeprefix("#/").split("/"):
            place = place[key]


def test_both_are_served_with_the_version(server: Serving) -> None:
    for name, description in (("openapi", OPENAPI), ("asyncapi", ASYNCAPI)):
        served = server.get(f"/api/{name}.json").json
        assert served["info"].pop("version") == version()
        assert served == {**description, "info": served["info"]}


def test_the_cookie_has_the_name_that_is_described() -> None:
    assert OPENAPI["components"]["securitySchemes"]["cookie"]["name"].startswith(
        f"{Policy(frozenset()).cookie}-"
    )


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/api/health", None, 200),
        ("GET", "/api/info", None, 200),
        ("POST", "/api/faces", portrait(), 200),
        ("POST", "/api/faces?model=resnet18", portrait(), 200),
        ("POST", "/api/faces?model=x", portrait(), 400),
        ("POST", "/api/faces", b"x", 422),
    ],
)
def test_answers_fit_the_schema_of_their_status(
    server: Serving, method: str, path: str, body: bytes | None, status: int
) -> None:
    answer = server.request(method, path, body)
    assert answer.status == status
    operation = OPENAPI["paths"][path.partition("?")[0]][method.lower()]
    schema = operation["responses"][str(status)]["content"]["application/json"]["schema"]
    check(OPENAPI, schema["$ref"].rpartition("/")[2], answer.json)


def test_messages_fit_their_schemas(server: Serving) -> None:
    with server.connect("/ws/camera?model=resnet18") as socket:
        for picture, name in ((portrait(), "Tracked"), (b"x", "Failed")):
            socket.send(message(1.0, picture))
            check(ASYNCAPI, name, json.loads(socket.recv(TIMEOUT_S)))
    check(ASYNCAPI, "Skipped", {"frame": 1, "time_s": 0.5, "skipped": True})
    with server.connect("/ws/live") as socket:
        check(ASYNCAPI, "Line", live_message(socket.recv(TIMEOUT_S))[0])
    with server.connect("/ws/live?picture=0") as socket:
        check(ASYNCAPI, "Line", json.loads(socket.recv(TIMEOUT_S)))
