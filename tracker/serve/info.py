"""Answer of ``GET /api/info``: what this server is, offers and takes."""

from __future__ import annotations

from typing import TypedDict

from tracker.distribution import version
from tracker.scheme.value import Scheme
from tracker.serve.service import Service
from tracker.tracking.smoothing import PRESETS


class LiveRecord(TypedDict):
    """The server's own camera or film; width and height in pixels."""

    name: str
    width: int
    height: int


class LimitsRecord(TypedDict):
    """Limits of the server (:class:`~tracker.serve.settings.Limits`)."""

    connections: int
    message_bytes: int
    picture_bytes: int
    picture_pixels: int
    message_pixels: int


class SchemeRecord(TypedDict):
    """Scheme of the landmarks; edges and mesh are pairs of point numbers from 0."""

    name: str
    points: int
    edges: list[list[int]]
    mesh: list[list[int]]


class InfoRecord(TypedDict):
    """Fields of the answer."""

    version: str
    model: str
    models: list[str]
    backend: str
    provider: str
    smoothing: str
    smoothings: list[str]
    max_faces: int
    live: LiveRecord | None
    anonymise: str | None
    limits: LimitsRecord
    scheme: SchemeRecord


def info_record(service: Service) -> InfoRecord:
    """Return the answer for ``service``."""
    settings, limits = service.settings, service.settings.limits
    tracker = service.models.get(service.default_model)
    made_by = tracker.made_by["model"]
    return {
        "version": version(),
        "model": service.default_model,
        "models": list(service.model_names),
        "backend": made_by["backend"],
        "provider": made_by["provider"],
        "smoothing": settings.tracker.smoothing,
        "smoothings": list(PRESETS),
        "max_faces": settings.tracker.max_faces,
        "live": _live(service),
        "anonymise": settings.anonymise,
        "limits": {
            "connections": limits.connections,
            "message_bytes": limits.message_bytes,
            "picture_bytes": limits.picture_bytes,
            "picture_pixels": limits.picture_pixels,
            "message_pixels": limits.message_pixels,
        },
        "scheme": _scheme(tracker.scheme),
    }


def _scheme(scheme: Scheme) -> SchemeRecord:
    return {
        "name": scheme.name,
        "points": scheme.n_points,
        "edges": [list(edge) for edge in scheme.edges],
        "mesh": [list(edge) for edge in scheme.mesh or scheme.edges],
    }


def _live(service: Service) -> LiveRecord | None:
    live = service.live
    if live is None or live.has_ended:
        return None
    return {"name": live.name, "width": live.image_hw[1], "height": live.image_hw[0]}
