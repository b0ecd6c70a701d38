"""Sinks after they were closed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from inspect import isabstract
from pathlib import Path
from pkgutil import walk_packages
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest

import tracker.sinks
from tests.results import FAILURE, faces_in_a_row
from tracker.drawing.masks import Mask
from tracker.drawing.picture import Picture
from tracker.errors import MisuseError, TrackerError
from tracker.sinks.csv_table import CsvSink
from tracker.sinks.images import ImageSink, SingleImageSink, encode_image
from tracker.sinks.json_lines import JsonSink
from tracker.sinks.labels import DlibSink, PtsSink
from tracker.sinks.openface import OpenFaceSink
from tracker.sinks.opening import PictureFile, TableFile, open_sink
from tracker.sinks.osc import OscSink
from tracker.sinks.parquet import ParquetSink
from tracker.sinks.protocols import FailureSink, FakePictureSink, FakeResultSink
from tracker.sinks.sink import Sink
from tracker.sinks.video.delayed import DelayedSink
from tracker.sinks.video.numbered import NumberedImageSink
from tracker.sinks.video.sink import VideoSink
from tracker.sinks.virtual_camera import VirtualCamera

RESULT = faces_in_a_row()
SHOWN = Picture(np.zeros((48, 64, 3), np.uint8), source="a.png")


def _image(folder: Path) -> Path:
    """Write the image that ``RESULT`` is of."""
    path = folder / RESULT.source
    path.write_bytes(encode_image(".png", SHOWN.canvas_bgr))
    return path


OPENERS: dict[type[Sink], Callable[[Path], Any]] = {
    CsvSink: lambda folder: CsvSink(folder / "o.csv"),
    DlibSink: lambda folder: DlibSink(folder / "o.xml", [_image(folder)]),
    TableFile: lambda folder: open_sink(folder / "o.csv"),
    PictureFile: lambda folder: open_sink(folder / "o.png"),
    FakePictureSink: lambda _: FakePictureSink(),
    FakeResultSink: lambda _: FakeResultSink(),
    JsonSink: lambda folder: JsonSink(folder / "o.jsonl"),
    OpenFaceSink: lambda folder: OpenFaceSink(folder / "o.csv"),
    OscSink: lambda _: OscSink("127.0.0.1:9"),
    ParquetSink: lambda folder: ParquetSink(folder / "o.parquet"),
    PtsSink: lambda folder: PtsSink(folder, [_image(folder)]),
    DelayedSink: lambda _: DelayedSink(FakePictureSink(), Mask()),
    ImageSink: lambda folder: ImageSink(folder, []),
    SingleImageSink: lambda folder: SingleImageSink(folder / "o.png", []),
    NumberedImageSink: lambda folder: NumberedImageSink(folder / "o%d.png"),
    VideoSink: lambda folder: VideoSink(folder / "o.mp4"),
    VirtualCamera: lambda _: VirtualCamera("auto", (64, 48)),
}
TAKES_PICTURES = (
    DelayedSink, FakePictureSink, ImageSink, NumberedImageSink, SingleImageSink, VideoSink, VirtualCamera,
)  # fmt: skip
NEEDS = {ParquetSink: "pyarrow", OscSink: "pythonosc"}


@pytest.fixture(autouse=True)
def _fake_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    module = SimpleNamespace(Camera=MagicMock(), PixelFormat=SimpleNamespace(BGR=1))
    monkeypatch.setitem(sys.modules, "pyvirtualcam", module)


def _subclasses(of: type[Sink]) -> Iterator[type[Sink]]:
    for one in of.__subclasses__():
        yield one
        yield from _subclasses(one)


def test_every_sink_is_tried_here() -> None:
    for module in walk_packages(tracker.sinks.__path__, "tracker.sinks."):
        import_module(module.name)
    shipped = {one for one in _subclasses(Sink) if one.__module__.startswith("tracker.")}
    assert {one for one in shipped if hasattr(one, "write") and not isabstract(one)} == set(OPENERS)


@pytest.mark.parametrize("kind", OPENERS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("used", [False, True])
def test_a_closed_sink_refuses_to_write(tmp_path: Path, kind: type[Sink], used: bool) -> None:
    if kind in NEEDS:
        pytest.importorskip(NEEDS[kind])
    items: tuple[Any, ...] = (SHOWN,) if kind in TAKES_PICTURES else (RESULT,)
    if kind is PictureFile:
        items = (RESULT, SHOWN.canvas_bgr)
    with OPENERS[kind](tmp_path) as sink:
        assert not sink.closed
        if used:
            sink.write(*items)
    sink.close()  # twice is fine
    assert sink.closed
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    writes: list[tuple[Callable[..., None], tuple[Any, ...]]] = [(sink.write, items)]
    if isinstance(sink, FailureSink):
        writes.append((sink.write_failure, (FAILURE,)))
    for write, what in writes:
        with pytest.raises(TrackerError, match=rf"^this {kind.__name__} is closed: .* another one$") as told:
            write(*what)
        assert isinstance(told.value, MisuseError)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_error_while_closing_does_not_open_it_again() -> None:
    class Failing(Sink):
        closings = 0

        def _close(self) -> None:
            self.closings += 1
            raise OSError("no space")

    sink = Failing()
    with pytest.raises(OSError, match="no space"):
        sink.close()
    sink.close()
    assert (sink.closed, sink.closings) == (True, 1)
