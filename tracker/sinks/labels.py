"""Label files of images for training: dlib's XML, or one iBUG ``.pts`` file per image.

``train.data.readers`` reads both formats.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from xml.sax.saxutils import quoteattr

from tracker.errors import SinkError
from tracker.sinks.json_lines import face_record
from tracker.system.closing import Closing
from tracker.system.files import check_output, guarded_write
from tracker.types import FrameResult, TrackedFace

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot represent (section 2.2)."""

_HEAD = (
    "<?xml version='1.0' encoding='UTF-8'?>\n<dataset>\n<name>tracker</name>\n"
    "<comment>68 points in the order of iBUG 300-W, found by tracker</comment>\n<images>\n"
)
_TAIL = b"</images>\n</dataset>\n"


class DlibSink(Closing):
    """XML file of dlib's ``imglab``: every image, with a box and 68 parts for each face.

    Boxes and parts are whole pixels, as dlib requires; (0, 0) is the centre of the top-left pixel. Image
    paths are relative to the folder of the XML file. The document is complete after each image, so an
    interrupted run keeps its labels. Raises :class:`~tracker.errors.SinkError` when the file cannot be
    written, is one of ``inputs``, or the name of an input cannot be represented in XML.
    """

    def __init__(self, path: Path, inputs: Sequence[Path]) -> None:
        check_output(path, inputs)
        self.path = path
        self._names = {source.name: _path_from(source, path) for source in inputs}
        if duplicate := _duplicate([source.name for source in inputs]):
            raise SinkError(
                f"cannot write {path}: several inputs are named {duplicate}; label each folder on its own"
            )
        with guarded_write(path):
            self._file = path.open("wb", buffering=0)
            self._end = 0
            try:
                self._add(_HEAD)
            except OSError:
                self._file.close()
                raise

    def write(self, result: FrameResult) -> None:
        """Append an image with its faces, largest first; images without faces are listed too."""
        boxes = "".join(_box(face) for face in result.faces)
        with guarded_write(self.path):
            self._add(f"  <image file={quoteattr(self._names[result.source])}>\n{boxes}  </image>\n")

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        with guarded_write(self.path):
            self._file.close()

    def _add(self, text: str) -> None:
        """Insert ``text`` before the end of the document; on an error the document stays as it was."""
        data = text.encode()
        rest = memoryview(data + _TAIL)
        self._file.seek(self._end)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError:
            with suppress(OSError):
                self._file.seek(self._end)
                self._file.write(_TAIL if self._end else b"")
                self._file.truncate()
            raise
        self._end += len(data)


class PtsSink(Closing):
    """A ``.pts`` file, as in iBUG's 300-W, for each image with a face: ``photo.pts`` for ``photo.jpg``.

    The format holds one face per image: the largest is written, and ``left_out`` counts the others. Points
    are 1-based, as the format requires. ``folder`` may be that of the images; it is created if its parent
    exists. Raises :class:`~tracker.errors.SinkError` when it cannot be written, a label exists already (it
    may have been made by hand), or two images would have the same label file.
    """

    def __init__(self, folder: Path, inputs: Sequence[Path]) -> None:
        self.folder = folder
        self.left_out = 0
        if duplicate := _duplicate([source.stem for source in inputs]):
            raise SinkError(
                f"several images would be labelled by {folder / duplicate}.pts: "
                "give each folder its own labels"
            )
        with guarded_write(folder):
            folder.mkdir(exist_ok=True)
        for source in inputs:
            if (label := self._path(source.name)).exists():
                raise SinkError(
                    f"cannot write {label}: there is one already; move it away or choose another folder"
                )

    def write(self, result: FrameResult) -> None:
        """Write the label file of an image, if it has a face."""
        if not result.faces:
            return
        self.left_out += len(result.faces) - 1
        points = face_record(result.faces[0])["landmarks"]
        rows = "".join(f"{x + 1:.2f} {y + 1:.2f}\n" for x, y in points)
        path = self._path(result.source)
        with guarded_write(path):
            path.write_text(f"version: 1\nn_points: {len(points)}\n{{\n{rows}}}\n", encoding="utf-8")

    def close(self) -> None:
        """Do nothing: no file stays open between two images."""

    def _path(self, name: str) -> Path:
        return self.folder / f"{Path(name).stem}.pts"


def label_sink(path: Path, inputs: Sequence[Path]) -> DlibSink | PtsSink:
    """Return a :class:`DlibSink` for a path with suffix ``.xml``, else a :class:`PtsSink` in that folder."""
    return DlibSink(path, inputs) if path.suffix.lower() == ".xml" else PtsSink(path, inputs)


def _path_from(source: Path, label: Path) -> str:
    try:
        name = os.path.relpath(source.absolute(), label.absolute().parent)
    except ValueError:  # on Windows there is no relative path to another drive
        name = str(source.absolute())
    if _NOT_IN_XML.search(name):
        raise SinkError(
            f"cannot write {label}: {name!r} cannot stand in XML; rename the image or leave it out"
        )
    return Path(name).as_posix()


def _box(face: TrackedFace) -> str:
    x0, y0, x1, y1 = (round(value) for value in face.box.xyxy)
    parts = "".join(
        f"      <part name='{i:02d}' x='{round(x)}' y='{round(y)}'/>\n"
        for i, (x, y) in enumerate(face.landmarks.points_frame.tolist())
    )
    return (
        f"    <box top='{y0}' left='{x0}' width='{x1 - x0 + 1}' height='{y1 - y0 + 1}'>\n{parts}    </box>\n"
    )


def _duplicate(names: Sequence[str]) -> str | None:
    return next((name for name, count in Counter(names).items() if count > 1), None)
