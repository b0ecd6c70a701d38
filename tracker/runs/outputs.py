"""Outputs of a run: one table from options to sinks, and the open sinks that a run writes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tracker.drawing.annotate import annotate
from tracker.drawing.heads import Head
from tracker.drawing.masks import Mask
from tracker.drawing.picture import Picture
from tracker.drawing.style import DEFAULT_STYLE, DrawStyle
from tracker.geometry import Stretch
from tracker.runs.targets import OutputTargets
from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.value import Scheme
from tracker.sinks.csv_table import CsvSink
from tracker.sinks.images import ImageSink, SingleImageSink
from tracker.sinks.json_lines import JsonSink
from tracker.sinks.labels import label_sink
from tracker.sinks.openface import OpenFaceSink, check_columns
from tracker.sinks.osc import OscSink
from tracker.sinks.parquet import ParquetSink
from tracker.sinks.protocols import FailureSink, PictureSink, ResultSink
from tracker.sinks.video.delayed import DelayedSink
from tracker.sinks.video.numbered import NumberedImageSink
from tracker.sinks.video.sink import VideoSink
from tracker.sinks.virtual_camera import VirtualCamera
from tracker.sources.film import Film
from tracker.sources.images.source import ReadFailure
from tracker.sources.patterns import is_numbered
from tracker.types import Frame, FrameResult

_CAMERA_FPS = 30.0


@dataclass(frozen=True)
class OutputContext:
    """Facts about a run that its sinks need when they open.

    ``inputs`` are the files that it reads, which no output may overwrite; ``made_by`` is what made the
    results. ``append``: JSON lines follow those in the file. ``size`` is (width, height) of the pictures of a
    camera or video, None for still images, and ``pixel_aspect`` the width over height of the pixels of the
    first; ``like`` is the video that they come from. With a ``mask`` the video output waits for faces that
    are found later, to cover them. ``style`` is how faces are drawn. ``upright_labels``: labels hold
    coordinates of the upright pictures. ``scheme`` is that of the landmarks.
    """

    inputs: tuple[Path, ...] = ()
    made_by: Mapping[str, Any] = field(default_factory=dict)
    append: bool = False
    size: tuple[int, int] | None = None
    like: Film | None = None
    mask: Mask | None = None
    style: DrawStyle = DEFAULT_STYLE
    upright_labels: bool = False
    pixel_aspect: float = 1.0
    scheme: Scheme = IBUG68

    @property
    def about(self) -> Mapping[str, Any]:
        """Metadata of a table: ``made_by``, and ``pixel_aspect`` where it is not 1."""
        return self.made_by if self.pixel_aspect == 1 else {**self.made_by, "pixel_aspect": self.pixel_aspect}


@dataclass(frozen=True)
class Outputs:
    """Open sinks of a run, each told in order; ``style`` is how faces are drawn on pictures."""

    results: tuple[ResultSink, ...] = ()
    failures: tuple[FailureSink, ...] = ()
    pictures: tuple[PictureSink, ...] = ()
    style: DrawStyle = DEFAULT_STYLE

    def write_result(self, result: FrameResult) -> None:
        """Write the faces of one frame or image to all sinks of results."""
        for sink in self.results:
            sink.write(result)

    def write_failure(self, failure: ReadFailure) -> None:
        """Write an image that could not be read to all sinks that have a place for it."""
        for sink in self.failures:
            sink.write_failure(failure)

    def write_picture(self, frame: Frame, result: FrameResult, newcomers: tuple[Head, ...]) -> None:
        """Draw the faces of one frame or image, once, and write the picture to all sinks of pictures."""
        if self.pictures:
            place = (frame.time_s, frame.source)
            picture = Picture(annotate(frame, result, self.style), *place, newcomers, frame.pixel_aspect)
            for sink in self.pictures:
                sink.write(picture)


def _open_virtual_camera(
    stack: ExitStack, targets: OutputTargets, context: OutputContext
) -> PictureSink | None:
    if not targets.virtual_camera or not context.size:
        return None
    fps = float(context.like.fps) if context.like else _CAMERA_FPS
    height, width = Stretch.of(context.pixel_aspect).square_hw(context.size[::-1])
    camera = VirtualCamera(targets.virtual_camera, (width, height), fps, paced=context.like is not None)
    return stack.enter_context(camera)


def _open_pictures(stack: ExitStack, targets: OutputTargets, context: OutputContext) -> PictureSink | None:
    path = targets.output
    if path is None:
        return None
    if context.size is None:
        if targets.is_one_image:
            return stack.enter_context(SingleImageSink(path, context.inputs))
        return stack.enter_context(ImageSink(path, context.inputs))
    sink: NumberedImageSink | VideoSink
    sink = NumberedImageSink(path, context.like) if is_numbered(path) else VideoSink(path, context.like)
    stack.enter_context(sink)
    return stack.enter_context(DelayedSink(sink, context.mask)) if context.mask else sink


class _ClosableResultSink(ResultSink, Protocol):
    def close(self) -> None: ...


PICTURE_OPENERS: tuple[Callable[[ExitStack, OutputTargets, OutputContext], PictureSink | None], ...] = (
    _open_virtual_camera,
    _open_pictures,
)
"""Openers of the outputs for pictures, in the order in which they open and are written."""

RESULT_OPENERS: tuple[Callable[[OutputTargets, OutputContext], _ClosableResultSink | None], ...] = (
    lambda to, _: OscSink(to.osc) if to.osc else None,
    lambda to, run: ParquetSink(to.parquet, run.inputs, run.about, run.scheme) if to.parquet else None,
    lambda to, run: label_sink(to.labels, run.inputs, run.upright_labels, run.scheme) if to.labels else None,
    lambda to, run: CsvSink(to.csv, run.inputs, run.scheme) if to.csv else None,
    lambda to, run: OpenFaceSink(to.openface, run.inputs, run.scheme) if to.openface else None,
    lambda to, run: JsonSink(to.json, run.inputs, run.append) if to.json else None,
)
"""Openers of the outputs for results, in the order in which they open; they are written in reverse.

First come those that may fail for other reasons than their file, so that old results are not replaced then;
JSON lines come last, because an earlier run can be resumed until they are opened."""


def open_pictures(
    stack: ExitStack, targets: OutputTargets, context: OutputContext
) -> tuple[PictureSink, ...]:
    """Open the targets for pictures on ``stack``, before all others: these may lie in the folder of images.

    Raises :class:`~tracker.errors.SinkError` for one that does not open, and, before any file is replaced,
    for one that has no place for the landmarks' scheme.
    """
    if targets.openface:
        check_columns(targets.openface, context.scheme)
    opened = (opener(stack, targets, context) for opener in PICTURE_OPENERS)
    return tuple(sink for sink in opened if sink)


def open_outputs(
    stack: ExitStack, targets: OutputTargets, context: OutputContext, pictures: tuple[PictureSink, ...]
) -> Outputs:
    """Open the targets for results on ``stack``, beside the open ``pictures``.

    Raises :class:`~tracker.errors.SinkError` for one that does not open.
    """
    results: list[_ClosableResultSink] = []
    for opener in RESULT_OPENERS:
        if sink := opener(targets, context):
            stack.callback(sink.close)
            results.append(sink)
    failures = tuple(sink for sink in results if isinstance(sink, FailureSink))
    # JSON lines are written first: when another output fails, they already hold the frame.
    return Outputs(tuple(reversed(results)), failures, pictures, context.style)
