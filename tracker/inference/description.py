"""TOML file beside a model: its scheme, its crop, and the inputs and outputs of a model of another origin."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tracker.errors import WeightsError
from tracker.inference.picture_input import PictureInput, picture_input_of
from tracker.scheme.fields import Fields, flag, number, one_of, text
from tracker.scheme.plain import crop_of
from tracker.scheme.toml import read_toml, scheme_from_table
from tracker.scheme.value import Scheme

POINT_LAYOUTS = ("xy", "xyz", "xxyy", "heatmaps")
"""Orders of coordinates: point by point, the same with a third number that is left out, all x before all y,
or a map for each point."""

UNITS = ("pixels", "0..1", "-1..1")
"""Units of coordinates: pixels of the input, or its side as 0 to 1 or as -1 to 1."""


@dataclass(frozen=True)
class PointsOutput:
    """Output with the points: its name (None: the first one), layout and units.

    ``pixel_centre`` is the coordinate, in pixels, of the centre of the first pixel: 0, as OpenCV counts, or
    0.5.
    """

    output: str | None = None
    layout: str = "xy"
    units: str = "pixels"
    pixel_centre: float = 0.0


@dataclass(frozen=True)
class Presence:
    """Source of the probability that there is a face: an ``output``, or the shipped landmark ``model``.

    The output holds log-odds if it is a ``logit``. Raises ``ValueError`` unless one of the two is given.
    """

    output: str | None = None
    logit: bool = False
    model: str | None = None

    def __post_init__(self) -> None:
        if (self.output is None) == (self.model is None):
            raise ValueError("presence comes from an output or from a shipped model: give one of the two")
        if self.model is not None and self.logit:
            raise ValueError("logit is about an output; the presence of a model is a probability")


@dataclass(frozen=True)
class Description:
    """Inputs and outputs of a landmark model of another origin; without a presence there always is a face."""

    picture: PictureInput
    points: PointsOutput = PointsOutput()
    presence: Presence | None = None


@dataclass(frozen=True)
class ModelNotes:
    """Contents of the TOML file ``path`` beside a model, and its SHA-256; all else may be missing."""

    path: Path
    sha256: str
    scheme: Scheme | None = None
    crop: Fields | None = None
    description: Description | None = None
    name: str | None = None
    licence: str | None = None

    def placed(self, scheme: Scheme) -> Scheme:
        """Return ``scheme`` with the crop of the file, if it has one; WeightsError for a wrong one."""
        if self.crop is None:
            return scheme
        with errors_of(self.path):
            return replace(scheme, crop=crop_of(self.crop, scheme.crop))


@contextmanager
def errors_of(path: Path) -> Iterator[None]:
    """Turn a ``ValueError`` into a :class:`~tracker.errors.WeightsError` that names the file ``path``."""
    try:
        yield
    except ValueError as error:
        line = str(error)
        raise WeightsError(line if line.startswith(str(path)) else f"{path}: {line}") from error


def notes_path(model: Path) -> Path:
    """Return the path of the TOML file that describes ``model``, whether it exists or not."""
    return model.with_suffix(".toml")


def read_notes(model: Path) -> ModelNotes | None:
    """Read the TOML file beside the landmark ``model``; None if there is none.

    Raises :class:`~tracker.errors.WeightsError`, in one line that names the file, if it cannot be used.
    """
    path = notes_path(model)
    if not path.exists():
        return None
    with errors_of(path):
        fields = Fields(read_toml(path), str(path))
        table = fields.raw("scheme")
        scheme = None if table is None else scheme_from_table(table, path)
        notes = ModelNotes(path, file_hash(path), scheme, fields.table("crop"))
        about = fields.table("model")
        fields.end()
        if about is not None:
            notes = replace(notes, name=about.optional("name", text), licence=about.optional("licence", text))
            notes = replace(notes, description=_description_of(about))
        notes.placed(Scheme("any", 3))  # a wrong crop is told at once
        return notes


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a small file; ``ValueError``, in one line, if it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error


def _description_of(about: Fields) -> Description | None:
    """Return the inputs and outputs of the table ``[model]``, None if it has neither."""
    picture, points, presence = (about.table(name) for name in ("input", "points", "presence"))
    about.end()
    if picture is None and points is None and presence is None:
        return None
    if picture is None:
        raise ValueError(f"{about.where} needs a table input with the size, as it describes the outputs")
    described = Description(
        picture_input_of(picture, square=True), _points_of(points), _presence_of(presence)
    )
    picture.end()
    return described


def _points_of(fields: Fields | None) -> PointsOutput:
    if fields is None:
        return PointsOutput()
    points = PointsOutput(
        fields.optional("output", text),
        fields.read("layout", one_of(*POINT_LAYOUTS), "xy"),
        fields.read("units", one_of(*UNITS), "pixels"),
        fields.read("pixel_centre", number, 0.0),
    )
    fields.end()
    if points.layout == "heatmaps" and points != PointsOutput(points.output, "heatmaps"):
        raise ValueError(f"{fields.where}: heatmaps have no units and no pixel_centre; leave them out")
    return points


def _presence_of(fields: Fields | None) -> Presence | None:
    if fields is None:
        return None
    output, logit = fields.optional("output", text), fields.read("logit", flag, False)
    presence = Presence(output, logit, fields.optional("model", text))
    fields.end()
    return presence
