"""Label files of images for training: dlib's XML, or one iBUG ``.pts`` file per image.

``train.data.readers`` reads both formats. Both hold coordinates of the stored picture, whose EXIF orientation
is not applied: that is what dlib and most trainers load. In a picture that is stored mirrored, left and right
points are exchanged, so that their order is that of the face one sees there. ``upright`` keeps the
coordinates of the upright picture, as in the other outputs.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from tracker.errors import SinkError
from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.placing import mirror_order
from tracker.scheme.value import Scheme
from tracker.sinks.sink import Sink, check_scheme
from tracker.sources.images.read import stored_orientation
from tracker.sources.orientation import UPRIGHT
from tracker.system.files import check_output, guarded_write, make_folder, write_whole
from tracker.system.opening import open_output
from tracker.types import FaceBox, FloatArray, FrameResult

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot represent (section 2.2)."""

_HEAD = (
    "<?xml version='1.0' encoding='UTF-8'?>\n<dataset>\n<name>tracker</name>\n"
    "<comment>{}, found by tracker; {}</comment>\n<images>\n"
)
_PIXELS = {
    False: "pixels of the stored pictures, EXIF orientation not applied",
    True: "pixels of the upright pictures, EXIF orientation applied",
}
"""Statement in the XML of what the coordinates are of, by ``upright``; the readers look for it."""
_TAIL = b"</images>\n</dataset>\n"


class DlibSink(Sink):
    """XML file of dlib's ``imglab``: every image, with a box and the points of ``scheme`` for each face.

    Boxes and parts are whole pixels, as dlib requires; (0, 0) is the centre of the top-left pixel. Image
    paths are relative to the folder of the XML file. The document is complete after each image, so an
    interrupted run keeps its labels. Images whose name cannot be represented in XML are left out:
    ``unnamed`` holds them. Raises :class:`~tracker.errors.SinkError` when the file cannot be written or is
    one of ``inputs``.
    """

    def __init__(
        self, path: Path | str, inputs: Sequence[Path], upright: bool = False, scheme: Scheme = IBUG68
    ) -> None:
        self.path = path = Path(path)
        self._scheme = scheme
        check_output(path, inputs)
        self._upright = upright
        self._sources = {source.name: source for source in inputs}
        names = {source.name: _path_from(source, path) for source in inputs}
        self.unnamed = tuple(name for name, stated in names.items() if _NOT_IN_XML.search(stated))
        self._names = {name: stated for name, stated in names.items() if name not in self.unnamed}
        if duplicate := _duplicate([source.name for source in inputs]):
            raise SinkError(
                f"cannot write {path}: several inputs are named {duplicate}; label each folder on its own"
            )
        with guarded_write(path):
            self._file = open_output(path)
            self._end = 0
            try:
                self._add(_HEAD.format(_order_of(scheme), _PIXELS[upright]))
            except OSError:
                self._file.close()
                raise

    def write(self, result: FrameResult) -> None:
        """Append an image with its faces, largest first; images without faces are listed too.

        Raises :class:`~tracker.errors.MisuseError` for landmarks of another scheme.
        """
        self._check_open()
        check_scheme(self, self._scheme, result)
        source = _input_of(result, self._sources, self.path)
        if result.source in self.unnamed:
            return
        boxes = "".join(_box(points) for points in _label_points(result, source, self._upright))
        with guarded_write(self.path):
            self._add(f"  <image file={quoteattr(self._names[result.source])}>\n{boxes}  </image>\n")

    def _close(self) -> None:
        """Close the file."""
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


class PtsSink(Sink):
    """A ``.pts`` file, as in iBUG's 300-W, for each image with a face: ``photo.pts`` for ``photo.jpg``.

    The format holds one face per image: the largest is written, and ``left_out`` counts the others. Points
    are 1-based, as the format requires. ``folder`` may be that of the images; it is created if its parent
    exists. Raises :class:`~tracker.errors.SinkError` when it cannot be written, a label exists already (it
    may have been made by hand), or two images would have the same label file.
    """

    def __init__(self, folder: Path | str, inputs: Sequence[Path], upright: bool = False) -> None:
        self.folder = folder = Path(folder)
        self.left_out = 0
        self._upright = upright
        self._sources = {source.name: source for source in inputs}
        if duplicate := _duplicate([source.stem for source in inputs]):
            raise SinkError(
                f"several images would be labelled by {folder / duplicate}.pts: "
                "give each folder its own labels"
            )
        make_folder(folder, "a folder for .pts files, or a file that ends in .xml")
        for source in inputs:
            if os.path.lexists(label := self._path(source.name)):  # a broken link, too
                raise SinkError(
                    f"cannot write {label}: there is one already; move it away or choose another folder"
                )

    def write(self, result: FrameResult) -> None:
        """Write the label file of an image, if it has a face."""
        self._check_open()
        if not result.faces:
            return
        self.left_out += len(result.faces) - 1
        path = self._path(result.source)
        source = _input_of(result, self._sources, path)
        points = _label_points(result, source, self._upright)[0].round(2).tolist()
        places = (_no_mark(x + 1, y + 1, 0.01) for x, y in points)
        rows = "".join(f"{x:.2f} {y:.2f}\n" for x, y in places)
        with guarded_write(path):
            write_whole(path, f"version: 1\nn_points: {len(points)}\n{{\n{rows}}}\n".encode())

    def _path(self, name: str) -> Path:
        return self.folder / f"{Path(name).stem}.pts"


def label_sink(
    path: Path, inputs: Sequence[Path], upright: bool = False, scheme: Scheme = IBUG68
) -> DlibSink | PtsSink:
    """Return a :class:`DlibSink` for a path with suffix ``.xml``, else a :class:`PtsSink` in that folder."""
    if path.suffix.lower() == ".xml":
        return DlibSink(path, inputs, upright, scheme)
    return PtsSink(path, inputs, upright)


def _order_of(scheme: Scheme) -> str:
    """Return number and order of the points, for a comment of XML, which must not hold two hyphens."""
    own = f"the scheme {escape(re.sub('-(?=-)', '- ', scheme.name))}"
    name = "iBUG 300-W" if scheme.has_points_of(IBUG68) else own
    return f"{scheme.n_points} points in the order of {name}"


def _input_of(result: FrameResult, sources: Mapping[str, Path], target: Path) -> Path:
    try:
        return sources[result.source]
    except KeyError:
        raise SinkError(f"cannot write {target}: {result.source!r} is none of its inputs") from None


def _label_points(result: FrameResult, source: Path, upright: bool) -> list[FloatArray]:
    """Return the points ``(P, 2)`` of each face in the pixels that labels hold."""
    faces = [face.landmarks.points_frame.astype(float) for face in result.faces]
    orientation = stored_orientation(source) if faces and not upright else UPRIGHT
    stored = [orientation.stored_points(points, result.image_hw) for points in faces]
    if not orientation.is_mirrored:
        return stored
    order = mirror_order(result.scheme)
    return [points[order] for points in stored]


def _path_from(source: Path, label: Path) -> str:
    try:
        name = os.path.relpath(source.absolute(), label.absolute().parent)
    except ValueError:  # on Windows there is no relative path to another drive
        name = str(source.absolute())
    return Path(name).as_posix()


def _box(points: FloatArray) -> str:
    x0, y0, x1, y1 = (round(value) for value in FaceBox.around(points).xyxy)
    places = [_no_mark(round(x), round(y), 1) for x, y in points.tolist()]
    digits = max(len(str(len(places) - 1)), 2)
    parts = "".join(
        f"      <part name='{i:0{digits}d}' x='{x:.0f}' y='{y:.0f}'/>\n" for i, (x, y) in enumerate(places)
    )
    return (
        f"    <box top='{y0}' left='{x0}' width='{x1 - x0 + 1}' height='{y1 - y0 + 1}'>\n{parts}    </box>\n"
    )


def _no_mark(x: float, y: float, step: float) -> tuple[float, float]:
    """Return a place beyond the picture's corner so that it is not -1 -1, which marks a hidden point."""
    return (x, y + step) if (round(x, 2), round(y, 2)) == (-1, -1) else (x, y)


def _duplicate(names: Sequence[str]) -> str | None:
    return next((name for name, count in Counter(names).items() if count > 1), None)
