"""The JSON lines of an earlier run, read back for those who sum them up."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracker.errors import ResultsError

_LONGEST_S = 1e9  # thirty years
_MOST = 1e9


@dataclass(frozen=True, slots=True)
class FaceLine:
    """What one line says of one face; None where it does not say.

    ``quality`` is the mean of the points' qualities, 0..1; the rest is as in
    :class:`~tracker.types.TrackedFace` and :class:`~tracker.types.FaceMeasures`.
    """

    id: int
    score: float
    quality: float | None
    eye_left: float | None
    eye_right: float | None
    mouth: float | None
    yaw_deg: float | None
    pitch_deg: float | None
    roll_deg: float | None
    blinks: int


@dataclass(frozen=True, slots=True)
class ResultLine:
    """One frame or image: its faces, or as ``error`` why it could not be read."""

    source: str
    frame: int
    time_s: float
    faces: tuple[FaceLine, ...]
    error: str | None


@dataclass(frozen=True)
class Results:
    """The lines of a file, at least one. ``cut_off`` is the number of a last line that is not whole, if any:
    the run was killed, or still writes."""

    lines: tuple[ResultLine, ...]
    cut_off: int | None = None


def read_results(path: Path) -> Results:
    """Read the JSON lines in ``path``, as ``--json`` writes them.

    A last line without its end is left out and reported. Raises :class:`~tracker.errors.ResultsError`, with
    file and line, when the file cannot be read, has no whole line, or any line is none of the tracker's.
    """
    lines: list[ResultLine] = []
    cut_off = None
    for number, row in _rows(path):
        try:
            lines.append(_parse(row.decode("utf-8")))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            if not row.endswith(b"\n") and lines:
                cut_off = number
                break
            raise ResultsError(
                f"{path}:{number}: no line of the tracker's JSON ({_reason(error)}): give what --json wrote"
            ) from error
    if not lines:
        raise ResultsError(f"{path}: it is empty; give what --json wrote")
    return Results(tuple(lines), cut_off)


def _rows(path: Path) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers, as bytes: only a newline ends one, whatever a file name holds."""
    try:
        with path.open("rb") as file:
            yield from enumerate(file, 1)
    except OSError as error:
        raise ResultsError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:  # a NUL in the name
        raise ResultsError(f"cannot read {str(path)!r}: {error}") from error


def _parse(row: str) -> ResultLine:
    record = json.loads(row, parse_constant=_refuse)
    source, error = record["source"], record.get("error")
    if not isinstance(source, str) or not (error is None or isinstance(error, str)):
        raise TypeError("source and error must be text")
    faces = tuple(_face(face) for face in record["faces"])
    if len({face.id for face in faces}) < len(faces):
        raise ValueError("an id stands twice")
    time_s = _number(record["time_s"], -_LONGEST_S, _LONGEST_S)
    return ResultLine(source, _whole(record["frame"], 0), time_s, faces, error)


def _face(face: Mapping[str, Any]) -> FaceLine:
    measures = face.get("measures") or {}
    left, right = measures.get("eye_open") or (None, None)
    quality = face.get("quality")
    values = None if quality is None else [_number(value, 0, 1) for value in quality]
    return FaceLine(
        id=_whole(face["id"], 1),
        score=_number(face["score"], 0, 1),
        quality=sum(values) / len(values) if values else None,
        eye_left=_maybe(left, 0, _MOST),
        eye_right=_maybe(right, 0, _MOST),
        mouth=_maybe(measures.get("mouth_open"), 0, _MOST),
        yaw_deg=_maybe(measures.get("yaw_deg"), -180, 180),
        pitch_deg=_maybe(measures.get("pitch_deg"), -180, 180),
        roll_deg=_maybe(measures.get("roll_deg"), -180, 180),
        blinks=_whole(measures.get("blinks", 0), 0),
    )


def _maybe(value: Any, low: float, high: float) -> float | None:
    return None if value is None else _number(value, low, high)


def _number(value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"expected a number, got {value!r:.40}")
    if not low <= value <= high:  # so written, it is also true of nan
        raise ValueError(f"expected {low:g} to {high:g}, got {value!r:.40}")
    return float(value)


def _whole(value: Any, low: int) -> int:
    number = _number(value, low, _MOST)
    if number != int(number):
        raise ValueError(f"expected a whole number, got {value!r:.40}")
    return int(number)


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _reason(error: Exception) -> str:
    """One short line: what json quotes may be long, and a key error says nothing but the key."""
    text = f"{error} is missing" if isinstance(error, KeyError) else str(error)
    return " ".join(text.split())[:100] or type(error).__name__
