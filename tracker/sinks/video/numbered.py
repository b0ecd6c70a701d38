"""Numbered images such as ``frames_%04d.png`` in place of a video file."""

from __future__ import annotations

from pathlib import Path

from tracker.drawing.picture import Picture
from tracker.errors import SinkError
from tracker.sinks.images import can_write, encode_image
from tracker.sinks.sink import Sink
from tracker.sources.film import Film
from tracker.sources.patterns import name_matcher, numbered_path
from tracker.system.files import check_output, guarded_write, write_whole


class NumberedImageSink(Sink):
    """Numbered images, counted from 1, in place of a video file; a context manager.

    Raises :class:`~tracker.errors.SinkError` when ``path`` has no suffix of an image format that can be
    written, is the input ``like``, or an image cannot be written.
    """

    def __init__(self, path: Path | str, like: Film | None = None) -> None:
        path = Path(path)
        check_output(path)
        with guarded_write(path):
            # Another count of digits may give the same names: %04d and %d do from 1000 on.
            if like is not None and path.parent.samefile(like.path.parent):
                written = name_matcher(path)
                if any(written.fullmatch(source.name) for source in like.paths):
                    raise SinkError(f"cannot write {path}: it is the input; choose another name")
        if not can_write(path.suffix):
            raise SinkError(
                f"cannot write {path}: pictures are written as .png or .jpg; change the file name"
            )
        self.path = path
        self._count = 0

    def write(self, picture: Picture) -> None:
        """Write the next picture; its timestamp is not kept."""
        self._check_open()
        self._count += 1
        path = numbered_path(self.path, self._count)
        with guarded_write(path):
            write_whole(path, encode_image(path.suffix, picture.canvas_bgr))
