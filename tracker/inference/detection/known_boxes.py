r"""Boxes of faces that are known beforehand, from a file: JSON lines or CSV.

Each line is a face: the name of its picture (``image``) or the number of its frame (``frame``, from 0), and
``x0, y0, x1, y1`` in pixels of the picture as results give them, with (0, 0) at the centre of the top left
one. Of an image's path only the file name counts. ``score``, 0..1, may be missing. A line ends with
``\n`` or ``\r\n``; numbers are plain decimal ones.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from tracker.errors import MisuseError, SourceError
from tracker.geometry import Stretch
from tracker.inference.detection.views import View, whole_picture
from tracker.scheme.decimals import decimal, whole
from tracker.types import FaceBox, Frame

MOST_BYTES = 500_000_000
"""Largest file that is read."""

_CORNERS = ("x0", "y0", "x1", "y1")
_COLUMNS = frozenset({"image", "frame", *_CORNERS, "score"})


@dataclass(frozen=True)
class KnownBoxes:
    """A ``FaceDetector`` that looks boxes up instead of searching the picture.

    ``boxes`` are those of each picture, by its file name, or of each frame, by its number; others have none.
    ``sha256`` is that of the file they come from, and ``name`` its name.
    """

    boxes: Mapping[str | int, Sequence[FaceBox]]
    name: str
    sha256: str

    @property
    def are_of_images(self) -> bool:
        """True if boxes are found by the names of pictures, False by the numbers of frames."""
        return any(isinstance(key, str) for key in self.boxes)

    @property
    def identity(self) -> dict[str, str]:
        """Name and hash of the file, as JSON-compatible data."""
        return {"boxes": self.name, "sha256": self.sha256}

    def views(self, image_hw: tuple[int, int]) -> Sequence[View]:
        """Return the whole picture of ``image_hw`` = (height, width) square pixels."""
        return [whole_picture(image_hw)]

    def detect(
        self,
        frame: Frame,
        views: Sequence[View] | None = None,  # noqa: ARG002 - the picture is not looked at
    ) -> list[FaceBox]:
        """Return the boxes of ``frame`` in square pixels.

        Raises :class:`~tracker.errors.MisuseError` for a picture without a name, if boxes go by names.
        """
        if self.are_of_images and not frame.source:
            raise MisuseError(f"{self.name} has boxes by the names of pictures, and this picture has none")
        key = PurePath(frame.source).name if self.are_of_images else frame.index
        found = list(self.boxes.get(key, ()))
        if frame.pixel_aspect == 1:
            return found
        return [_in_square_pixels(box, Stretch.of(frame.pixel_aspect)) for box in found]


def read_boxes(path: Path) -> KnownBoxes:
    """Read a file of boxes.

    Raises :class:`~tracker.errors.SourceError`, in one line that names the file and the line, if it cannot be
    read, or a line is none of a box.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise SourceError(f"boxes {path}: larger than {MOST_BYTES // 10**6} MB, divide the file")
        data = path.read_bytes()
        # Not splitlines: the name of a picture may contain other characters that end lines.
        lines = [line.removesuffix("\r") for line in data.decode("utf-8-sig").split("\n")]
    except OSError as error:
        raise SourceError(f"boxes {path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise SourceError(f"boxes {path} cannot be read: the file is no text in UTF-8") from error
    table = _Table()
    for number, line in enumerate(lines, 1):
        try:
            table.add(line)
        except (ValueError, RecursionError, csv.Error) as error:
            reason = "no JSON" if isinstance(error, json.JSONDecodeError | RecursionError) else error
            raise SourceError(f"boxes {path}, line {number}: {reason}") from error
    if not table.boxes:
        raise SourceError(f"boxes {path} are none: write lines such as image,x0,y0,x1,y1")
    return KnownBoxes(table.boxes, path.name, sha256(data).hexdigest())


class _Table:
    """Boxes read so far; the first line decides between CSV, whose header it is, and JSON lines."""

    def __init__(self) -> None:
        self.boxes: dict[str | int, list[FaceBox]] = {}
        self._columns: list[str] | None = None
        self._kind: str | None = None
        self._paths: dict[str, str] = {}

    def add(self, line: str) -> None:
        """Add the box of a line; ``ValueError`` if it is none."""
        if not line.strip():
            return
        if self._kind is None and not line.lstrip().startswith("{"):
            self._columns = [name.strip() for name in next(csv.reader([line]))]
            self._check(dict.fromkeys(self._columns, 0))
            return
        row = json.loads(line) if self._columns is None else self._cells(line)
        self._check(row)
        key = self._image(row["image"]) if self._kind == "image" else _frame(row["frame"])
        x0, y0, x1, y1 = (_number(name, row[name]) for name in _CORNERS)
        box = FaceBox(x0, y0, x1, y1, _number("score", row.get("score", 1.0)))
        self.boxes.setdefault(key, []).append(box)

    def _cells(self, line: str) -> dict[str, Any]:
        """Return the cells of a line of CSV by column, all but names as numbers where they are some."""
        cells = next(csv.reader([line]))
        assert self._columns is not None
        if len(cells) != len(self._columns):
            raise ValueError(f"{len(cells)} cells, and the header has {len(self._columns)}")
        named = zip(self._columns, cells, strict=True)
        return {name: cell if name == "image" else _plain(cell) for name, cell in named}

    def _check(self, row: object) -> None:
        """Check the names of the fields; all lines have the same of ``image`` and ``frame``."""
        if not isinstance(row, dict):
            raise ValueError("not an object with the fields of a box")
        kinds = [name for name in ("image", "frame") if name in row]
        missing = [name for name in _CORNERS if name not in row]
        unknown = [name for name in row if name not in _COLUMNS]
        if not kinds:
            remedy = "" if self._columns is None else ": begin the file with a line such as image,x0,y0,x1,y1"
            raise ValueError(f"it has neither image nor frame{remedy}")
        if len(kinds) > 1:
            raise ValueError("a box has an image or a frame, and not both")
        if missing or unknown:
            wrong = f"no {missing[0]}" if missing else f"an unknown {unknown[0]!r:.40}"
            raise ValueError(
                f"a box has image or frame, {', '.join(_CORNERS)} and perhaps score; here is {wrong}"
            )
        if self._kind not in (None, kinds[0]):
            raise ValueError(f"it has {kinds[0]}, and the lines before have {self._kind}")
        self._kind = kinds[0]

    def _image(self, value: object) -> str:
        """Return the file name of an image's path."""
        if not isinstance(value, str) or not (name := PurePath(value.replace("\\", "/")).name):
            raise ValueError(f"image must be the name of a file, got {value!r:.60}")
        if self._paths.setdefault(name, value) != value:
            raise ValueError(f"{value!r:.60} and {self._paths[name]!r:.60} have the same file name")
        return name


def _plain(cell: str) -> object:
    """Return the number that a cell of CSV holds, else its text."""
    for kind in (whole, decimal):
        with suppress(ValueError):
            return kind(cell)
    return cell


def _frame(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError(f"frame must be a whole number from 0 on, got {value!r:.60}")


def _number(name: str, value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1e9:
        return float(value)
    raise ValueError(f"{name} must be a number, got {value!r:.60}")


def _in_square_pixels(box: FaceBox, stretch: Stretch) -> FaceBox:
    corners = np.array(box.xyxy, np.float64).reshape(2, 2)
    (x0, y0), (x1, y1) = stretch.to_square(corners).tolist()
    return FaceBox(x0, y0, x1, y1, box.score)
