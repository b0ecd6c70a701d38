"""The three runs of the command line: a live camera, a video file, still images.

Each takes what :mod:`tracker.cli.main` has opened and returns when the source ends or the user quits;
closing is left to the context managers around it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import cv2

from tracker.drawing.annotate import annotate
from tracker.drawing.anonymise import Anonymiser, Hidden
from tracker.drawing.faces import STYLES, Style
from tracker.drawing.heads import Head
from tracker.drawing.panel import NO_PANEL, Panel
from tracker.drawing.picture import Picture
from tracker.runs.live_stats import Hud
from tracker.runs.read_ahead import ReadAhead, WriteBehind
from tracker.runs.window import KEYS, Screen
from tracker.sinks.csv_table import CsvSink
from tracker.sinks.json_lines import JsonSink
from tracker.sinks.labels import DlibSink, PtsSink
from tracker.sinks.openface import OpenFaceSink
from tracker.sinks.osc import OscSink
from tracker.sinks.parquet import ParquetSink
from tracker.sinks.protocols import PictureSink
from tracker.sinks.video.sink import VideoSink
from tracker.sources.images.source import ReadFailure, unreadable
from tracker.system.closing import Closing
from tracker.system.files import sink_errors, write_whole
from tracker.tracking.face_tracker import FaceTracker
from tracker.types import Frame, FrameResult, ImageArray

GROUP_IMAGES = 8
"""Still images whose faces are searched in one batch."""
_GROUP_PIXELS = 50_000_000


@dataclass(frozen=True)
class Outputs:
    """Where the results of a run go; any may be absent."""

    json: JsonSink | None = None
    csv: CsvSink | None = None
    video: PictureSink | None = None
    images: PictureSink | None = None
    osc: OscSink | None = None
    camera: PictureSink | None = None
    openface: OpenFaceSink | None = None
    parquet: ParquetSink | None = None
    labels: DlibSink | PtsSink | None = None

    def write_result(self, result: FrameResult) -> None:
        """Send one frame's faces to all that take them as numbers."""
        for sink in (self.osc, self.json, self.csv, self.openface, self.parquet, self.labels):
            if sink:
                sink.write(result)

    def write_failure(self, failure: ReadFailure) -> None:
        """Tell all that have a place for it why an image could not be read."""
        for sink in (self.json, self.parquet):
            if sink:
                sink.write_failure(failure)

    def write_image(self, frame: Frame, result: FrameResult) -> None:
        """Draw the faces of one still image for who takes them."""
        if self.images:
            self.images.write(Picture(annotate(frame, result), frame.time_s, frame.source))

    def write_picture(self, frame: Frame, result: FrameResult, newcomers: tuple[Head, ...]) -> None:
        """Draw one frame's faces for all that take moving pictures."""
        if not (self.camera or self.video):
            return
        picture = Picture(annotate(frame, result), frame.time_s, frame.source, newcomers)
        for sink in (self.camera, self.video):
            if sink:
                sink.write(picture)


_HELP = tuple(f"{key}: {what}" for key, what in KEYS.items())


class View(Closing):
    """The live window and what its keys do (:data:`~tracker.runs.window.KEYS`)."""

    def __init__(self, screen: Screen, folder: Path | None = None, mirrored: bool = False) -> None:
        self._screen = screen
        self._folder = folder or Path.cwd()
        self._style: Style = STYLES[0]
        self._mirrored = mirrored
        self._helps = False
        self._last: tuple[Frame, FrameResult] | None = None
        self._canvas: ImageArray | None = None
        self._open = ExitStack()
        self._recording: VideoSink | None = None

    def close(self) -> None:
        """Finish a recording that is still running."""
        self._open.close()

    def show(self, frame: Frame, result: FrameResult, panel: Panel = NO_PANEL) -> bool:
        """Show one frame and obey a key. Returns whether to go on."""
        self._last = frame, result
        recording, keys = ("recording",) if self._recording else (), _HELP if self._helps else ()
        canvas = self._paint(frame, result, panel.with_lines(*recording, *keys))
        if self._recording:
            self._recording.write(Picture(canvas, frame.time_s, frame.source))
        return self._obey()

    def idle(self, notice: str | None) -> bool:
        """Obey a key while no new frame comes; a ``notice`` replaces the panel. Returns whether to go on."""
        if self._last and notice:
            self._paint(*self._last, Panel((notice,)))
        return self._obey()

    def _paint(self, frame: Frame, result: FrameResult, panel: Panel) -> ImageArray:
        self._canvas = canvas = annotate(frame, result, panel, self._style, self._mirrored)
        self._screen.show(canvas)
        return canvas

    def _obey(self) -> bool:
        """Do what the pressed key asks for, if any. Returns whether to go on."""
        key = self._screen.key()
        if key == "p":
            self._style = STYLES[(STYLES.index(self._style) + 1) % len(STYLES)]
        elif key == "m":
            self._mirrored = not self._mirrored
        elif key == "h":
            self._helps = not self._helps
        elif key == "s":
            self._snapshot()
        elif key == "r":
            self._toggle_recording()
        return key != "q" and not self._screen.closed

    def _snapshot(self) -> None:
        """The picture as it is shown, and beside it its results, which no mirror changes."""
        if self._canvas is None or self._last is None:
            return
        path = self._new_file(".png")
        with sink_errors(path):
            write_whole(path, cv2.imencode(".png", self._canvas)[1].tobytes())
        with JsonSink(path.with_suffix(".json")) as sink:
            sink.write(self._last[1])

    def _toggle_recording(self) -> None:
        if self._recording:
            self._recording.close()
            self._recording = None
        else:
            self._recording = self._open.enter_context(VideoSink(self._new_file(".mp4")))

    def _new_file(self, suffix: str) -> Path:
        return self._folder / f"tracker-{datetime.now():%Y%m%d-%H%M%S-%f}{suffix}"


def run_frames(
    frames: Iterable[Frame],
    tracker: FaceTracker,
    outputs: Outputs,
    hud: Hud,
    view: View | None = None,
    on_frame: Callable[[], None] = lambda: None,
    anonymiser: Anonymiser | None = None,
    write_picture: Callable[[Frame, FrameResult, tuple[Head, ...]], None] | None = None,
) -> bool:
    """Track ``frames`` of a camera or a video until they end or the user quits.

    With an ``anonymiser`` nothing but what it leaves is shown or written as a picture. ``write_picture``
    stands for that of ``outputs``. Returns whether the frames ended.
    """
    write_picture = write_picture or outputs.write_picture
    for frame in frames:
        result = tracker.step(frame)
        stage_ms = dict(result.stage_ms)
        started = time.perf_counter()
        outputs.write_result(result)
        hidden = anonymiser.hide(frame, result) if anonymiser else Hidden(frame)
        write_picture(hidden.frame, result, hidden.newcomers)
        written = time.perf_counter()
        stage_ms["write"] = 1000 * (written - started)
        if view:
            go_on = view.show(hidden.frame, result, hud.panel())
            stage_ms["show"] = 1000 * (time.perf_counter() - written)
            hud.pace.update(frame, time.monotonic())
            if not go_on:
                return False
        hud.stats.update(time.perf_counter(), stage_ms)
        on_frame()
    return True


def run_video(
    frames: Iterable[Frame],
    tracker: FaceTracker,
    outputs: Outputs,
    hud: Hud,
    view: View | None = None,
    on_frame: Callable[[], None] = lambda: None,
    anonymiser: Anonymiser | None = None,
) -> bool:
    """As :func:`run_frames`, while threads of their own read ``frames`` ahead and draw and encode behind.

    An error that ends it comes after all pictures of the frames before; if one of these could not be
    written, the numbers of a few frames more are.
    """
    with ReadAhead(frames) as coming, WriteBehind(outputs.write_picture) as write_picture:
        return run_frames(coming, tracker, outputs, hud, view, on_frame, anonymiser, write_picture)


def run_images(
    images: Iterable[Frame | ReadFailure],
    tracker: FaceTracker,
    outputs: Outputs,
    on_image: Callable[[], None] = lambda: None,
    on_group: Callable[[Sequence[ReadFailure]], None] = lambda _: None,
    failures: Sequence[ReadFailure] = (),
    anonymiser: Anonymiser | None = None,
) -> None:
    """Find the faces of each image on its own, those of a group of images in one batch.

    They are read ahead and marked behind by threads of their own. An image that cannot be read leaves its
    line in the JSON and Parquet and the run goes on; at the end :class:`~tracker.errors.SourceError` says
    how many there were, those of an earlier run in ``failures`` included. After each group ``on_group`` is
    told of all.
    """
    failed = list(failures)
    with ReadAhead(images) as coming, WriteBehind(outputs.write_image) as write_image:
        for group in grouped(coming):
            results = iter(tracker.find_all([image for image in group if isinstance(image, Frame)]))
            for image in group:
                if isinstance(image, ReadFailure):
                    failed.append(image)
                    outputs.write_failure(image)
                else:
                    result = next(results)
                    outputs.write_result(result)
                    write_image(anonymiser.hide_alone(image, result) if anonymiser else image, result)
                on_image()
            on_group(failed)
    if failed:
        raise unreadable(failed)


def grouped(images: Iterable[Frame | ReadFailure]) -> Iterator[list[Frame | ReadFailure]]:
    """The images in groups that are searched together: a few, and no more pixels than memory bears.

    Which belong together depends on the images from the group's first on only.
    """
    group: list[Frame | ReadFailure] = []
    pixels = 0
    for image in images:
        more = math.prod(image.image_hw) if isinstance(image, Frame) else 0
        if group and pixels + more > _GROUP_PIXELS:
            yield group
            group, pixels = [], 0
        group.append(image)
        pixels += more
        if len(group) == GROUP_IMAGES:
            yield group
            group, pixels = [], 0
    if group:
        yield group
