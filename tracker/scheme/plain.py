"""Schemes as plain values: what JSON and TOML hold, in a model's metadata and in files of one's own.

The fields are those of :class:`~tracker.scheme.value.Scheme` and of the values inside it, by the same names;
fields with their default are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracker.scheme.fields import Fields, pair, pairs, positive, text, texts, two_numbers, whole, wholes
from tracker.scheme.value import CropRule, Measured, Scheme, Upright

SCHEME_KEY = "tracker.scheme"
"""Key of a model's metadata under which it carries its scheme, as JSON of :func:`to_plain`."""

_RINGS = ("left_eye", "right_eye", "mouth")


def to_plain(scheme: Scheme) -> dict[str, Any]:
    """Return ``scheme`` as texts, numbers, lists and tables; :func:`from_plain` makes an equal one of it."""
    plain: dict[str, Any] = {"name": scheme.name, "n_points": scheme.n_points}
    optional = {
        "parts": {name: list(points) for name, points in scheme.parts.items()},
        "closed": sorted(scheme.closed),
        "edges": _lists(scheme.edges),
        "mesh": _lists(scheme.mesh),
        "names": list(scheme.names),
        "mirror": _list(scheme.mirror),
        "normaliser": _list(scheme.normaliser),
        "upright": {name: list(getattr(scheme.upright, name)) for name in _RINGS} if scheme.upright else None,
        "steady": list(scheme.steady),
        "measured": _measured(scheme.measured),
        "crop": crop_to_plain(scheme.crop) if scheme.crop != CropRule() else None,
    }
    return plain | {name: value for name, value in optional.items() if value}


def crop_to_plain(crop: CropRule) -> dict[str, Any]:
    """Return all fields of ``crop``."""
    return {"margin": crop.margin, "box_margin": crop.box_margin, "box_shift": list(crop.box_shift)}


def from_plain(plain: object, where: str = "scheme") -> Scheme:
    """Return the scheme of the table ``plain``, which JSON or TOML was read from.

    Raises ``ValueError`` for a missing or unknown field, a value of another kind, and values that contradict
    each other; ``where`` names the table in the line.
    """
    fields = Fields(plain, where)
    name, n_points = fields.require("name", text), fields.require("n_points", whole)
    parts, upright = fields.optional("parts", _parts) or {}, fields.table("upright")
    measured, crop = fields.table("measured"), fields.table("crop")
    values: dict[str, Any] = {
        "closed": frozenset(fields.optional("closed", texts) or ()),
        "edges": fields.optional("edges", pairs) or (),
        "mesh": fields.optional("mesh", pairs) or (),
        "names": fields.optional("names", texts) or (),
        "mirror": fields.optional("mirror", wholes),
        "normaliser": fields.optional("normaliser", pair),
        "steady": fields.optional("steady", wholes) or (),
    }
    fields.end()
    try:
        return Scheme(
            name,
            n_points,
            parts,
            **values,
            upright=_upright_of(upright) if upright else None,
            measured=_measured_of(measured) if measured else Measured(),
            crop=crop_of(crop) if crop else CropRule(),
        )
    except ValueError as error:
        line = str(error)
        raise ValueError(line if line.startswith(where) else f"{where}: {line}") from None


def crop_of(fields: Fields, default: CropRule | None = None) -> CropRule:
    """Return the rule of a table of a crop; what it lacks is that of ``default``.

    Raises ``ValueError`` for other fields and values.
    """
    rule = default or CropRule()
    crop = CropRule(
        fields.read("margin", positive, rule.margin),
        fields.read("box_margin", positive, rule.box_margin),
        fields.read("box_shift", two_numbers, rule.box_shift),
    )
    fields.end()
    return crop


def _upright_of(fields: Fields) -> Upright:
    upright = Upright(*(fields.require(name, wholes) for name in _RINGS))
    fields.end()
    return upright


def _measured_of(fields: Fields) -> Measured:
    left_eye, right_eye, mouth = (fields.optional(name, wholes) for name in _RINGS)
    measured = Measured(left_eye, right_eye, mouth, fields.optional("pose", pairs))
    fields.end()
    return measured


def _parts(value: object) -> dict[str, tuple[int, ...]]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise ValueError("a table of lists of points by name")
    try:
        return {text(name): wholes(points) for name, points in value.items()}
    except ValueError:
        raise ValueError("a table of lists of points, which count from 0, by name") from None


def _measured(measured: Measured) -> dict[str, Any]:
    values = {name: _list(getattr(measured, name)) for name in _RINGS} | {"pose": _lists(measured.pose or ())}
    return {name: value for name, value in values.items() if value}


def _list(points: tuple[int, ...] | None) -> list[int] | None:
    return None if points is None else list(points)


def _lists(edges: tuple[tuple[int, int], ...]) -> list[list[int]]:
    return [list(edge) for edge in edges]
