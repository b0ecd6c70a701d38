"""Where results go: JSON lines, CSV, annotated images; annotated video is in :mod:`tracker.sinks.video.sink`.

Every sink is a context manager with ``write`` and an idempotent ``close``, and raises
:class:`~tracker.errors.SinkError` when it cannot be opened, written or closed.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2

from tracker.drawing.picture import Picture
from tracker.errors import SinkError
from tracker.sinks.video.sink import VideoSink
from tracker.sources.images.source import ReadFailure
from tracker.system.closing import Closing
from tracker.system.files import check_output, sink_errors, write_whole
from tracker.system.stdout import StandardOutput
from tracker.system.text_file import TextFile
from tracker.types import N_POINTS, FaceMeasures, FrameResult, TrackedFace

__all__ = ["CSV_HEADER", "CsvSink", "ImageSink", "JsonSink", "TextSink", "VideoSink"]

_JPEG_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe"})
_JPEG_QUALITY = 95
CSV_HEADER = (
    *("source", "frame", "time_s", "id", "x0_box", "y0_box", "x1_box", "y1_box", "score"),
    *(f"{axis}{i}" for i in range(N_POINTS) for axis in "xy"),
    *("eye_open_left", "eye_open_right", "mouth_open", "yaw_deg", "pitch_deg", "roll_deg", "blinks"),
)
"""The columns of a table with one row a face; those of a face begin with ``id``."""

_NO_MEASURES = ("",) * 7


class TextSink(Closing):
    """UTF-8 that is flushed line by line, so that a run cut short keeps what it found."""

    def __init__(
        self, target: Path | StandardOutput, inputs: Iterable[Path] = (), append: bool = False
    ) -> None:
        self.target = target
        if isinstance(target, StandardOutput):
            self._file: TextFile | StandardOutput = target
            return
        check_output(target, inputs)
        with sink_errors(target):
            self._file = TextFile(target, append)

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        with sink_errors(str(self.target)):
            self._file.close()


class JsonSink(TextSink):
    """JSON lines: one object a frame or image.

    ``source``, ``frame``, ``time_s`` (seconds), ``width``, ``height`` (pixels) and ``faces``, each with
    ``id``, ``box`` ``[x0, y0, x1, y1]``, ``score`` and ``landmarks`` 68 x ``[x, y]`` in frame pixels,
    rounded to 0.01, ``quality``, 68 numbers 0..1, from models that judge it, and ``measures``, the fields of
    :class:`~tracker.types.FaceMeasures` with null for None. Where a video is damaged there is ``damage``, the
    fields of :class:`~tracker.types.Damage`. Refuses to overwrite any of ``inputs``.
    With ``append`` the lines follow those that are there.
    To :class:`~tracker.system.stdout.StandardOutput` it writes each line as soon as its frame is done; it
    raises
    :class:`~tracker.errors.ReaderGoneError` once nobody reads them.
    """

    def write(self, result: FrameResult) -> None:
        """Append the faces of one frame, none included."""
        height, width = result.image_hw
        self._line(
            source=result.source,
            frame=result.index,
            time_s=round(result.time_s, 6),
            width=width,
            height=height,
            faces=[face_record(face) for face in result.faces],
            **({"damage": asdict(result.damage)} if result.damage else {}),
        )

    def write_failure(self, failure: ReadFailure) -> None:
        """Append the line of an image that could not be read, with the reason as ``error``."""
        self._line(
            source=failure.source, frame=0, time_s=0.0, width=0, height=0, faces=[], error=failure.message
        )

    def _line(self, **fields: Any) -> None:
        with sink_errors(str(self.target)):
            self._file.write(json.dumps(fields, ensure_ascii=False, allow_nan=False) + "\n")
            self._file.flush()


class TableSink(TextSink):
    """CSV with a ``header``, flushed with the rows of each frame. Refuses to overwrite any of ``inputs``."""

    def __init__(self, path: Path, header: Sequence[str], inputs: Iterable[Path] = ()) -> None:
        super().__init__(path, inputs)
        self._writer = csv.writer(self._file, lineterminator="\n")
        try:
            self._rows([header])
        except SinkError:
            self.close()
            raise

    def _rows(self, rows: Iterable[Sequence[Any]]) -> None:
        with sink_errors(str(self.target)):
            self._writer.writerows(rows)
            self._file.flush()


class CsvSink(TableSink):
    """CSV: a header, then one row a face; frames without faces leave no row.

    Columns: source, frame, time_s, id, the box, score, then x0, y0 ... x67, y67 in frame pixels, rounded to
    0.01, then the measures, empty where there is none. Refuses to overwrite any of ``inputs``.
    """

    def __init__(self, path: Path, inputs: Iterable[Path] = ()) -> None:
        super().__init__(path, CSV_HEADER, inputs)

    def write(self, result: FrameResult) -> None:
        """Append one row for each face."""
        frame = (result.source, result.index, round(result.time_s, 6))
        self._rows([*frame, *face_row(face_record(face))] for face in result.faces)


class ImageSink(Closing):
    """Annotated pictures in a folder, each named as its input.

    JPEG inputs become JPEG, PNG inputs PNG; ``x.bmp`` becomes ``x.bmp.png``. The folder is created when
    only its last level is missing. Raises :class:`SinkError` at once when two ``inputs`` would be written to
    one file, or one would be overwritten.
    """

    def __init__(self, directory: Path, inputs: Sequence[Path]) -> None:
        self.directory = directory
        twice = [name for name, count in Counter(_output_name(p.name) for p in inputs).items() if count > 1]
        if twice:
            raise SinkError(
                f"several inputs would be written to {directory / twice[0]}: give each folder its own output"
            )
        with sink_errors(directory):
            directory.mkdir(exist_ok=True)
        for path in inputs:
            check_output(directory / _output_name(path.name), [path])

    def write(self, picture: Picture) -> None:
        """Write the picture under the name of its ``source``, a file name without a folder."""
        name = picture.source
        if name in ("", ".", "..") or Path(name).name != name:
            raise SinkError(f"cannot write {name!r} into {self.directory}: it is not the name of a file")
        path = self.directory / _output_name(name)
        flags = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if path.suffix.lower() in _JPEG_SUFFIXES else []
        with sink_errors(path):
            _, encoded = cv2.imencode(path.suffix.lower(), picture.canvas_bgr, flags)
            write_whole(path, encoded.tobytes())

    def close(self) -> None:
        """Nothing stays open between two pictures."""


def _output_name(name: str) -> str:
    suffix = Path(name).suffix.lower()
    return name if suffix == ".png" or suffix in _JPEG_SUFFIXES else f"{name}.png"


def face_record(face: TrackedFace) -> dict[str, Any]:
    """One face as it stands in the JSON lines: rounded, a measure that is not known as None."""
    record = {
        "id": face.id,
        "box": [round(v, 2) for v in face.box.xyxy],
        "score": round(face.score, 4),
        "landmarks": face.landmarks.points_frame.astype(float).round(2).tolist(),
    }
    if face.landmarks.quality is not None:
        record["quality"] = face.landmarks.quality.astype(float).round(3).tolist()
    if face.measures is not None:
        record["measures"] = _measures(face.measures)
    return record


def _measures(measures: FaceMeasures) -> dict[str, Any]:
    return {
        "eye_open": [_rounded(ratio, 4) for ratio in measures.eye_open],
        "mouth_open": _rounded(measures.mouth_open, 4),
        "yaw_deg": _rounded(measures.yaw_deg, 2),
        "pitch_deg": _rounded(measures.pitch_deg, 2),
        "roll_deg": _rounded(measures.roll_deg, 2),
        "blinks": measures.blinks,
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def face_row(face: dict[str, Any]) -> Iterator[Any]:
    """The cells of one :func:`face_record` from ``id`` on, in the order of :data:`CSV_HEADER`."""
    yield face["id"]
    yield from face["box"]
    yield face["score"]
    for point in face["landmarks"]:
        yield from point
    if "measures" in face:
        eyes, *others = face["measures"].values()
        yield from (*eyes, *others)
    else:
        yield from _NO_MEASURES
