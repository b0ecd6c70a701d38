"""Opening of output files by name, for programs that use the package."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from tracker.drawing.picture import Picture
from tracker.errors import MisuseError, SinkError
from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.value import Scheme
from tracker.sinks.csv_table import CsvSink
from tracker.sinks.images import SingleImageSink, can_write
from tracker.sinks.json_lines import JsonSink
from tracker.sinks.parquet import ParquetSink
from tracker.sinks.sink import Sink
from tracker.sinks.video.formats import SUFFIXES
from tracker.sinks.video.numbered import NumberedImageSink
from tracker.sinks.video.sink import VideoSink
from tracker.sources.film import Film
from tracker.sources.opening import PictureSource, Source
from tracker.sources.patterns import is_numbered
from tracker.system.files import check_output
from tracker.types import FrameResult, ImageArray


def _open_json(path: Path, inputs: Sequence[Path], _: Scheme) -> JsonSink:
    return JsonSink(path, inputs)


_Opener = Callable[[Path, Sequence[Path], Scheme], CsvSink | JsonSink | ParquetSink]
_TABLES: Mapping[str, _Opener] = MappingProxyType(
    {
        ".csv": CsvSink,
        ".json": _open_json,
        ".jsonl": _open_json,
        ".ndjson": _open_json,
        ".parquet": lambda path, inputs, scheme: ParquetSink(path, inputs, scheme=scheme),
    }
)
"""Openers of files of results by suffix: of the path, the inputs not to overwrite, and the scheme."""


class FileSink(Sink):
    """Output file of results or of pictures, as :func:`open_sink` returns it; a context manager."""

    @abstractmethod
    def write(self, result: FrameResult, image_bgr: ImageArray | None = None) -> None:
        """Append one frame: its results, or its picture, whichever the file holds.

        ``image_bgr`` is ``(H, W, 3)`` uint8, the picture as it shall be seen, such as
        :func:`~tracker.drawing.annotate.annotate` draws it; it must not be changed afterwards. A table does
        not look at it. A video shows it from ``result.time_s`` on. Times increase from frame to frame.

        Raises:
            MisuseError: The file holds pictures and none is given, or it was closed.
            SinkError: The file cannot be written.
        """


class TableFile(FileSink):
    """Output file of results."""

    def __init__(self, sink: CsvSink | JsonSink | ParquetSink) -> None:
        self._sink = sink

    def write(self, result: FrameResult, image_bgr: ImageArray | None = None) -> None:  # noqa: ARG002
        """Append the results of one frame."""
        self._check_open()
        self._sink.write(result)

    def _close(self) -> None:
        self._sink.close()


class PictureFile(FileSink):
    """Output file of pictures."""

    def __init__(self, sink: VideoSink | NumberedImageSink | SingleImageSink, path: Path) -> None:
        self._sink, self._path = sink, path

    def write(self, result: FrameResult, image_bgr: ImageArray | None = None) -> None:
        """Append the picture of one frame."""
        self._check_open()
        if image_bgr is None:
            raise MisuseError(
                f"{self._path} holds pictures: write(result, image_bgr), such as annotate(frame, result)"
            )
        place = (result.time_s, result.source)
        self._sink.write(Picture(image_bgr, *place, pixel_aspect=result.pixel_aspect))

    def _close(self) -> None:
        self._sink.close()


def open_sink(path: Path | str, like: Source | None = None, scheme: Scheme = IBUG68) -> FileSink:
    """Open the output file ``path``, whose suffix names its format; use it in a ``with`` block.

    - ``.csv``: one row a face (:class:`~tracker.sinks.csv_table.CsvSink`); ``.jsonl``, ``.ndjson`` or
      ``.json``: one JSON object a frame (:class:`~tracker.sinks.json_lines.JsonSink`); ``.parquet``: one row
      a face (:class:`~tracker.sinks.parquet.ParquetSink`, extra ``parquet``);
    - ``.mp4``, ``.mov``, ``.mkv``, ``.webm``, ``.gif``, ...: a video of the pictures that are written
      (:class:`~tracker.sinks.video.sink.VideoSink`);
    - ``frames_%04d.png``: numbered images; ``.png``, ``.jpg``, ...: one image, the last that was written.

    ``scheme`` is ``tracker.scheme``, whose points are the columns of a table. ``like`` is the source of the
    frames, whose files are not overwritten; another file is. If it is a film, a video gets its sound, and
    each picture its time exactly. Addresses, devices, folders and formats that no
    suffix names have sinks of their own: :class:`~tracker.sinks.osc.OscSink`,
    :class:`~tracker.sinks.virtual_camera.VirtualCamera`, :class:`~tracker.sinks.images.ImageSink`,
    :class:`~tracker.sinks.openface.OpenFaceSink`, :class:`~tracker.sinks.labels.DlibSink`.

    Raises:
        SinkError: The suffix names no format, the file cannot be opened, or it is the input.
    """
    path = Path(path)
    inputs = like.paths if isinstance(like, Film | PictureSource) else ()
    suffix = path.suffix.lower()
    if suffix in _TABLES:
        return TableFile(_TABLES[suffix](path, inputs, scheme))
    film = like if isinstance(like, Film) else None
    if is_numbered(path):
        return PictureFile(NumberedImageSink(path, film), path)
    check_output(path, inputs)
    if suffix in SUFFIXES:
        return PictureFile(VideoSink(path, film), path)
    if can_write(suffix):
        return PictureFile(SingleImageSink(path, ()), path)
    names = ", ".join((*_TABLES, *sorted(SUFFIXES), ".png", ".jpg"))
    raise SinkError(f"cannot write {path}: its suffix names no format; give one of {names}")
