"""Interfaces of the outputs, one verb each, and fakes for tests.

A sink opens its output when it is made and raises :class:`~tracker.errors.SinkError` when that cannot be
opened, written or closed. Most are context managers through :class:`~tracker.sinks.sink.Sink`.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from tracker.drawing.picture import Picture
from tracker.sinks.sink import Sink
from tracker.sources.images.source import ReadFailure
from tracker.types import FrameResult


class ResultSink(Protocol):
    """Output of results as numbers: JSON lines, tables, labels, OSC messages."""

    def write(self, result: FrameResult) -> None:
        """Append the results of one frame or image, also if it has no faces."""


@runtime_checkable
class FailureSink(Protocol):
    """Output with a place for images that could not be read."""

    def write_failure(self, failure: ReadFailure) -> None:
        """Append an image that could not be read, with the reason."""


class PictureSink(Protocol):
    """Output of annotated pictures: a video, image files, a virtual camera."""

    def write(self, picture: Picture) -> None:
        """Append the next picture, whose canvas the caller does not use again.

        Other sinks get the same picture at the same time, so a sink changes the canvas only in later calls.
        """


class FakeResultSink(Sink):
    """Result and failure sink that keeps all it was given."""

    def __init__(self) -> None:
        self.results: list[FrameResult] = []
        self.failures: list[ReadFailure] = []

    def write(self, result: FrameResult) -> None:
        """Keep the result."""
        self._check_open()
        self.results.append(result)

    def write_failure(self, failure: ReadFailure) -> None:
        """Keep the failure."""
        self._check_open()
        self.failures.append(failure)


class FakePictureSink(Sink):
    """Picture sink that keeps all it was given."""

    def __init__(self) -> None:
        self.pictures: list[Picture] = []

    def write(self, picture: Picture) -> None:
        """Keep the picture."""
        self._check_open()
        self.pictures.append(picture)
