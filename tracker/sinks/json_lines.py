"""JSON lines: writing one object per frame or image, and reading such files.

:mod:`tracker.sinks.line_records` declares the fields of a line. The type checker holds the writer and the
reader to them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from tracker.errors import ResultsError
from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.shipped import SCHEMES
from tracker.scheme.value import Scheme, plain_scheme
from tracker.sinks.line_records import FaceRecord, LineRecord, MeasuresRecord, line_record
from tracker.sinks.text import TextSink
from tracker.system.terminal import CONTROLS
from tracker.types import MAX_PIXEL_ASPECT, FrameResult

if TYPE_CHECKING:
    from tracker.sources.images.source import ReadFailure

_MAX_LINE = 64 << 20  # bytes: twenty thousand faces in a frame
_MAX_TIME_S = 1e9  # thirty years
_MAX_NUMBER = 1e9


class JsonSink(TextSink):
    """JSON lines: one object per frame or image, written as soon as it is done.

    The fields are those of :class:`~tracker.sinks.line_records.LineRecord`. To
    :class:`~tracker.system.stdout.StandardOutput` it raises :class:`~tracker.errors.ReaderGoneError` once
    nobody reads the lines; otherwise it raises as :class:`~tracker.sinks.text.TextSink` does.
    """

    def write(self, result: FrameResult) -> None:
        """Append the line of one frame, also if it has no faces."""
        self._check_open()
        self._write_line(line_record(result))

    def write_failure(self, failure: ReadFailure) -> None:
        """Append the line of an image that could not be read."""
        self._check_open()
        nothing: LineRecord = {"source": "", "frame": 0, "time_s": 0.0, "width": 0, "height": 0, "faces": []}
        self._write_line({**nothing, "source": failure.source, "error": failure.message})

    def _write_line(self, record: LineRecord) -> None:
        # Control characters beyond those that JSON escapes by itself stand in strings only.
        text = json.dumps(record, ensure_ascii=False, allow_nan=False)
        self._write(CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")


@dataclass(frozen=True, slots=True)
class FaceLine:
    """A face read from a line; None for unknown values.

    ``quality`` is the mean over the points, 0..1; the other fields are those of
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
    """A frame or image read from a line: its faces, or in ``error`` why it could not be read.

    ``scheme`` is that of the landmarks. Of one that does not come with the tracker, name and number of points
    are known (:func:`~tracker.scheme.value.plain_scheme`); it is None where there is no face, either.
    """

    source: str
    frame: int
    time_s: float
    faces: tuple[FaceLine, ...]
    error: str | None
    pixel_aspect: float = 1.0
    scheme: Scheme | None = IBUG68


@dataclass(frozen=True)
class Results:
    """The lines of a file, at least one.

    ``cut_off`` is the number of an incomplete last line, if any: the run was killed, or is still writing.
    """

    lines: tuple[ResultLine, ...]
    cut_off: int | None = None


def read_results(path: Path | str) -> Results:
    """Read the JSON lines that ``--json`` wrote.

    An incomplete last line is left out and reported. Raises :class:`~tracker.errors.ResultsError`, with file
    and line number, when the file cannot be read, has no complete line, or a line is not one of the
    tracker's or longer than 64 MiB.
    """
    path = Path(path)
    lines: list[ResultLine] = []
    cut_off = None
    for number, row in _numbered_lines(path):
        try:
            lines.append(_parse_line(row.decode("utf-8")))
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


def _numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield lines with their numbers, as bytes, so that only a newline ends a line."""
    try:
        with path.open("rb") as file:
            lines = iter(partial(file.readline, _MAX_LINE + 1), b"")
            for number, line in enumerate(lines, 1):
                if len(line) > _MAX_LINE:
                    raise ResultsError(
                        f"{path}:{number}: a line of more than {_MAX_LINE >> 20} MiB: give what --json wrote"
                    )
                yield number, line
    except OSError as error:
        raise ResultsError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:  # a NUL in the name
        raise ResultsError(f"cannot read {str(path)!r}: {error}") from error


def _parse_line(row: str) -> ResultLine:
    # Declared types are checked value by value below: the file may hold anything.
    record: LineRecord = json.loads(row, parse_constant=_reject_constant)
    source, error = record["source"], record.get("error")
    if not isinstance(source, str) or not (error is None or isinstance(error, str)):
        raise TypeError("source and error must be text")
    faces = tuple(_parse_face(face) for face in record["faces"])
    if len({face.id for face in faces}) < len(faces):
        raise ValueError("an id appears twice")
    time_s = _number(record["time_s"], -_MAX_TIME_S, _MAX_TIME_S)
    aspect = _number(record.get("pixel_aspect", 1.0), 1 / MAX_PIXEL_ASPECT, MAX_PIXEL_ASPECT)
    scheme = _scheme_of(record)
    return ResultLine(source, _integer(record["frame"], 0), time_s, faces, error, aspect, scheme)


def _scheme_of(record: LineRecord) -> Scheme | None:
    name = record.get("scheme", IBUG68.name)
    if not isinstance(name, str):
        raise TypeError(f"a scheme is named by text, got {name!r:.40}")
    counts = {len(face["landmarks"]) for face in record["faces"]}
    if name in SCHEMES and counts <= {SCHEMES[name].n_points}:
        return SCHEMES[name]
    if len(counts) > 1:
        raise ValueError(f"faces of one frame have {' and '.join(map(str, sorted(counts)))} points")
    return plain_scheme(name, counts.pop()) if counts else None


_NO_MEASURES: MeasuresRecord = {
    "eye_open": [None, None],
    "mouth_open": None,
    "yaw_deg": None,
    "pitch_deg": None,
    "roll_deg": None,
    "blinks": 0,
}


def _parse_face(face: FaceRecord) -> FaceLine:
    measures = face.get("measures") or _NO_MEASURES
    left, right = measures.get("eye_open") or (None, None)
    quality = face.get("quality")
    values = None if quality is None else [_number(value, 0, 1) for value in quality]
    return FaceLine(
        id=_integer(face["id"], 1),
        score=_number(face["score"], 0, 1),
        quality=sum(values) / len(values) if values else None,
        eye_left=_optional_number(left, 0, _MAX_NUMBER),
        eye_right=_optional_number(right, 0, _MAX_NUMBER),
        mouth=_optional_number(measures.get("mouth_open"), 0, _MAX_NUMBER),
        yaw_deg=_optional_number(measures.get("yaw_deg"), -180, 180),
        pitch_deg=_optional_number(measures.get("pitch_deg"), -180, 180),
        roll_deg=_optional_number(measures.get("roll_deg"), -180, 180),
        blinks=_integer(measures.get("blinks", 0), 0),
    )


def _optional_number(value: object, low: float, high: float) -> float | None:
    return None if value is None else _number(value, low, high)


def _number(value: object, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"expected a number, got {value!r:.40}")
    if not low <= value <= high:  # in this form it also refuses nan
        raise ValueError(f"expected {low:g} to {high:g}, got {value!r:.40}")
    return float(value)


def _integer(value: object, low: int) -> int:
    number = _number(value, low, _MAX_NUMBER)
    if number != int(number):
        raise ValueError(f"expected a whole number, got {value!r:.40}")
    return int(number)


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _reason(error: Exception) -> str:
    """Return one short line; json quotes long text, and a key error holds only the key."""
    text = f"{error} is missing" if isinstance(error, KeyError) else str(error)
    return " ".join(text.split())[:100] or type(error).__name__
