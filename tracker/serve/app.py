"""The web application: routes, and what each answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import cast, get_args

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from tracker.distribution import version
from tracker.errors import SourceError, TrackerError
from tracker.serve.body import body_length, read_body
from tracker.serve.camera_session import CameraSession
from tracker.serve.guard import Guard, Policy
from tracker.serve.info import info_record
from tracker.serve.live import Live
from tracker.serve.live_views import BOUNDARY, mjpeg, view
from tracker.serve.pictures import TooLargeError
from tracker.serve.seats import FullError, Seats
from tracker.serve.service import Service
from tracker.serve.sockets import FAILED, FULL, POLICY, close
from tracker.serve.static import INDEX, StaticFile
from tracker.tracking.opening import SmoothingName

API = Path(__file__).parent / "api"
"""Folder of the descriptions of the interface: OpenAPI and AsyncAPI."""

NO_LIVE = "this server shows nothing live: start it with --camera or --video"
LIVE_HAS_ENDED = "the live source of this server has ended, as the server reports: start it again"


def create_app(service: Service, page: Mapping[str, StaticFile], policy: Policy) -> ASGIApp:
    """Return the ASGI application of ``service``, with the ``page``, open to what ``policy`` says."""
    endpoints = Endpoints(service, page)
    app = Starlette(routes=endpoints.routes(), exception_handlers={HTTPException: _error, Exception: _failed})
    app.router.redirect_slashes, app.router.default = False, _nothing_there
    return Guard(app, policy, service.say)


async def _error(request: Request, error: Exception) -> Response:  # noqa: ARG001 - starlette's signature
    assert isinstance(error, HTTPException)
    why = error.detail
    if error.status_code == 405 and error.headers:
        why = f"use {', '.join(sorted(error.headers['Allow'].split(', ')))}"
    return JSONResponse({"error": why}, error.status_code, error.headers)


async def _failed(request: Request, error: Exception) -> Response:  # noqa: ARG001 - starlette's signature
    return JSONResponse({"error": "an unexpected error, which the server reports"}, 500)


async def _nothing_there(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "websocket":
        raise HTTPException(404, "no such address: /api/openapi.json lists those that there are")
    socket = WebSocket(scope, receive, send)
    await socket.accept()  # a handshake that fails does not tell scripts why
    await close(socket, POLICY, "no such WebSocket: /ws/camera and /ws/live are there")


class Endpoints:
    """Handlers of the routes."""

    def __init__(self, service: Service, page: Mapping[str, StaticFile]) -> None:
        self._service, self._page = service, page

    def routes(self) -> list[BaseRoute]:
        """Return all routes."""
        return [
            Route("/", partial(self.file, INDEX)),
            Route("/page/{name}", self.page_file),
            Route("/api/info", self.info),
            Route("/api/health", self.health),
            Route("/api/openapi.json", partial(self.description, "openapi.json")),
            Route("/api/asyncapi.json", partial(self.description, "asyncapi.json")),
            Route("/api/faces", self.faces, methods=["POST"]),
            Route("/api/live.mjpg", self.live_mjpeg),
            WebSocketRoute("/ws/camera", partial(self._seated, self.camera)),
            WebSocketRoute("/ws/live", partial(self._seated, self.live)),
        ]

    async def page_file(self, request: Request) -> Response:
        """Send a file of the page."""
        return await self.file(request.path_params["name"], request)

    async def file(self, name: str, request: Request) -> Response:  # noqa: ARG002 - of a route
        """Send the file ``name`` of the page."""
        file = self._page.get(name)
        if file is None:
            raise HTTPException(404, "the page has no such file")
        return Response(file.data, media_type=file.media_type)

    async def description(self, name: str, request: Request) -> Response:  # noqa: ARG002 - of a route
        """Send a description of the interface, with this version."""
        record = json.loads((API / name).read_text(encoding="utf-8"))
        record["info"]["version"] = version()
        return JSONResponse(record)

    async def health(self, request: Request) -> Response:
        """Say that the server answers."""
        _check_query(request, {})
        return JSONResponse({"status": "ok"})

    async def info(self, request: Request) -> Response:
        """Say what the server is, offers and takes."""
        _check_query(request, {})
        return JSONResponse(info_record(self._service))

    async def faces(self, request: Request) -> Response:
        """Find the faces of the picture in the body."""
        service, limits = self._service, self._service.settings.limits
        chosen = _check_query(request, {"model": service.model_names})
        model = chosen.get("model", service.default_model)
        try:
            with service.seats.take(), service.room.take(await body_length(request, limits)):
                data = await read_body(request, limits)
                line = await asyncio.wrap_future(service.engine.find(model, data))
        except FullError as error:
            raise _busy(error) from None
        except TooLargeError as error:
            raise HTTPException(413, str(error)) from None
        except SourceError as error:
            raise HTTPException(422, str(error)) from None
        except (BrokenProcessPool, TrackerError) as error:
            service.say(f"a picture was not treated: {error}")
            raise HTTPException(503, "inference failed, which the server reports: try again") from None
        return Response(line, media_type="application/json")

    async def live_mjpeg(self, request: Request) -> Response:
        """Show the live source to programs that know nothing but MJPEG."""
        _check_query(request, {})
        live = self._live()
        kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
        if request.method == "HEAD":
            return Response(media_type=kind)
        return _SeatedStream(mjpeg(live, self._service), self._service.seats, kind)

    async def camera(self, socket: WebSocket) -> None:
        """Track the pictures of a client's camera."""
        service = self._service
        chosen = _check_query(socket, {"model": service.model_names, "smoothing": get_args(SmoothingName)})
        options = service.settings.tracker
        model = chosen.get("model", service.default_model)
        smoothing = cast(SmoothingName, chosen.get("smoothing", options.smoothing))
        session = await service.engine.open_session(model, smoothing)
        await CameraSession(socket, session, service).run()

    async def live(self, socket: WebSocket) -> None:
        """Show the live source."""
        chosen = _check_query(socket, {"picture": ("0", "1")})
        live = self._live()
        await view(socket, live, self._service, with_picture=chosen.get("picture", "1") == "1")

    async def _seated(self, talk: Callable[[WebSocket], Awaitable[None]], socket: WebSocket) -> None:
        """Let ``talk`` have a WebSocket and a seat, and close it with the reason where that fails."""
        await socket.accept()
        try:
            with self._service.seats.take():
                await talk(socket)
        except FullError as error:
            await close(socket, FULL, str(error))
        except HTTPException as error:
            await close(socket, POLICY, error.detail)
        except TrackerError as error:
            self._service.say(str(error))
            await close(socket, FAILED, str(error))
        except WebSocketDisconnect:
            return

    def _live(self) -> Live:
        live = self._service.live
        if live is None:
            raise HTTPException(404, NO_LIVE)
        if live.has_ended:
            raise HTTPException(404, LIVE_HAS_ENDED)
        return live


class _SeatedStream(StreamingResponse):
    """Stream that takes a seat as long as it lasts."""

    def __init__(self, parts: AsyncIterator[bytes], seats: Seats, media_type: str) -> None:
        super().__init__(parts, media_type=media_type)
        self._seats = seats

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with self._seats.take():
                await super().__call__(scope, receive, send)
        except FullError as error:
            raise _busy(error) from None


def _busy(error: FullError) -> HTTPException:
    return HTTPException(503, str(error), {"Retry-After": "1"})


def _check_query(connection: HTTPConnection, known: Mapping[str, Collection[str]]) -> dict[str, str]:
    """Return the query's parameters; HTTPException 400 for one that is not ``known``, by name or value."""
    given: dict[str, str] = {}
    for name, value in connection.query_params.multi_items():
        if name not in known:
            names = f"one of {', '.join(known)}" if known else "none"
            raise HTTPException(400, f"unknown parameter {name!r:.50}: give {names}")
        if value not in known[name]:
            raise HTTPException(400, f"unknown {name} {value!r:.50}: choose one of {', '.join(known[name])}")
        if name in given:
            raise HTTPException(400, f"{name} is given twice: leave one out")
        given[name] = value
    return given
