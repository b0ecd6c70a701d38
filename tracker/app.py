"""The three runs of the command line: a live camera, a video file, still images.

Each takes what :mod:`tracker.cli` has opened and returns when the source ends or the user quits;
closing is left to the context managers around it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np

from tracker.closing import Closing
from tracker.draw import Style, draw_faces, draw_hud, mirror_faces
from tracker.images import ReadFailure, unreadable
from tracker.live_video import LiveVideoSink
from tracker.osc_sink import OscSink
from tracker.overlap import ReadAhead, WriteBehind
from tracker.pace import Pace
from tracker.pipeline import FaceTracker
from tracker.sinks import CsvSink, ImageSink, JsonSink, VideoSink
from tracker.stats import RollingStats
from tracker.types import Frame, FrameResult, ImageArray
from tracker.video_sink import sink_errors
from tracker.virtual_camera import VirtualCamera
from tracker.window import Screen

GROUP_IMAGES = 8
"""Still images whose faces are searched in one batch."""
_GROUP_PIXELS = 50_000_000

STATS_WINDOW_S = 2.0
STAGES = ("detect", "crop", "infer", "points", "smooth", "measure", "write", "show")
"""What the panel lists, in the order in which a frame passes; ``write`` and ``show`` include drawing."""


@dataclass(frozen=True)
class Outputs:
    """Where the results of a run go; any may be absent."""

    json: JsonSink | None = None
    csv: CsvSink | None = None
    video: VideoSink | None = None
    images: ImageSink | None = None
    osc: OscSink | None = None
    camera: VirtualCamera | None = None

    def write_result(self, result: FrameResult) -> None:
        """Send one frame's faces to all that take them as numbers."""
        for sink in (self.osc, self.json, self.csv):
            if sink:
                sink.write(result)

    def write_image(self, frame: Frame, result: FrameResult) -> None:
        """Draw the faces of one still image for who takes them."""
        if self.images:
            self.images.write(annotate(frame, result), frame.source)

    def write_picture(self, frame: Frame, result: FrameResult) -> None:
        """Draw one frame's faces for all that take moving pictures."""
        if not (self.camera or self.video):
            return
        canvas = annotate(frame, result)
        for sink in (self.camera, self.video):
            if sink:
                sink.write(canvas, frame.time_s)


@dataclass
class Hud:
    """The status panel: what runs, how fast the whole loop turns, where its time goes."""

    label: str
    stats: RollingStats = field(default_factory=lambda: RollingStats(STATS_WINDOW_S))
    pace: Pace = field(default_factory=lambda: Pace(STATS_WINDOW_S))

    def lines(self) -> list[str]:
        """What the panel says now; it names what each number measures."""
        fps = self.stats.fps
        if fps is None:
            return [f"measuring FPS   {self.label}"]
        measured = self.stats.stages()
        stages = "  ".join(f"{name} {measured[name].median_ms:.1f}" for name in STAGES if name in measured)
        return [
            f"{fps:.1f} FPS, whole loop   {self.label}",
            f"{stages}  ms, median of {STATS_WINDOW_S:.0f} s",
            *self.pace.lines(),
        ]


class View(Closing):
    """The live window and what its keys change: style, mirror, snapshot, recording."""

    def __init__(self, screen: Screen, folder: Path | None = None, mirrored: bool = False) -> None:
        self._screen = screen
        self._folder = folder or Path.cwd()
        self._style: Style = "points"
        self._mirrored = mirrored
        self._last: tuple[Frame, FrameResult] | None = None
        self._canvas: ImageArray | None = None
        self._open = ExitStack()
        self._recording: VideoSink | None = None

    def close(self) -> None:
        """Finish a recording that is still running."""
        self._open.close()

    def show(self, frame: Frame, result: FrameResult, hud: Sequence[str]) -> bool:
        """Show one frame and obey a key. Returns whether to go on."""
        self._last = frame, result
        canvas = self._paint(frame, result, [*hud, "recording"] if self._recording else hud)
        if self._recording:
            self._recording.write(canvas, frame.time_s)
        return self._obey()

    def idle(self, notice: str | None) -> bool:
        """Obey a key while no new frame comes; a ``notice`` replaces the panel. Returns whether to go on."""
        if self._last and notice:
            self._paint(*self._last, [notice])
        return self._obey()

    def _paint(self, frame: Frame, result: FrameResult, marks: Sequence[str]) -> ImageArray:
        self._canvas = canvas = annotate(frame, result, marks, self._style, self._mirrored)
        self._screen.show(canvas)
        return canvas

    def _obey(self) -> bool:
        """Do what the pressed key asks for, if any. Returns whether to go on."""
        key = self._screen.key()
        if key == "p":
            self._style = "lines" if self._style == "points" else "points"
        elif key == "m":
            self._mirrored = not self._mirrored
        elif key == "s" and self._canvas is not None:
            self._snapshot(self._canvas)
        elif key == "r":
            self._toggle_recording()
        return key != "q" and not self._screen.closed

    def _snapshot(self, canvas: ImageArray) -> None:
        path = self._new_file(".png")
        with sink_errors(path):
            path.write_bytes(cv2.imencode(".png", canvas)[1].tobytes())

    def _toggle_recording(self) -> None:
        if self._recording:
            self._recording.close()
            self._recording = None
        else:
            self._recording = self._open.enter_context(LiveVideoSink(self._new_file(".mp4")))

    def _new_file(self, suffix: str) -> Path:
        return self._folder / f"tracker-{datetime.now():%Y%m%d-%H%M%S-%f}{suffix}"


def annotate(
    frame: Frame,
    result: FrameResult,
    hud: Sequence[str] = (),
    style: Style = "points",
    mirrored: bool = False,
) -> ImageArray:
    """A copy of the frame with its faces and the status panel drawn on it."""
    faces = result.faces
    if mirrored:
        canvas = np.ascontiguousarray(frame.image_bgr[:, ::-1])
        faces = mirror_faces(faces, canvas.shape[1])
    else:
        canvas = frame.image_bgr.copy()
    draw_faces(canvas, faces, style)
    draw_hud(canvas, hud)
    return canvas


def run_frames(
    frames: Iterable[Frame],
    tracker: FaceTracker,
    outputs: Outputs,
    hud: Hud,
    view: View | None = None,
    on_frame: Callable[[], None] = lambda: None,
    write_picture: Callable[[Frame, FrameResult], None] | None = None,
) -> bool:
    """Track ``frames`` of a camera or a video until they end or the user quits.

    ``write_picture`` stands for that of ``outputs``. Returns whether they ended.
    """
    write_picture = write_picture or outputs.write_picture
    for frame in frames:
        result = tracker.step(frame)
        stage_ms = dict(result.stage_ms)
        started = time.perf_counter()
        outputs.write_result(result)
        write_picture(frame, result)
        written = time.perf_counter()
        stage_ms["write"] = 1000 * (written - started)
        if view:
            go_on = view.show(frame, result, hud.lines())
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
) -> bool:
    """As :func:`run_frames`, while threads of their own read ``frames`` ahead and draw and encode behind.

    An error that ends it comes after all pictures of the frames before; if one of these could not be
    written, the numbers of a few frames more are.
    """
    with ReadAhead(frames) as coming, WriteBehind(outputs.write_picture) as write_picture:
        return run_frames(coming, tracker, outputs, hud, view, on_frame, write_picture)


def run_images(
    images: Iterable[Frame | ReadFailure],
    tracker: FaceTracker,
    outputs: Outputs,
    on_image: Callable[[], None] = lambda: None,
    on_group: Callable[[Sequence[ReadFailure]], None] = lambda _: None,
    failures: Sequence[ReadFailure] = (),
) -> None:
    """Find the faces of each image on its own, those of a group of images in one batch.

    They are read ahead and marked behind by threads of their own. An image that cannot be read leaves its
    line in the JSON and the run goes on; at the end :class:`~tracker.errors.SourceError` says how many there
    were, those of an earlier run in ``failures`` included. After each group ``on_group`` is told of all.
    """
    failed = list(failures)
    with ReadAhead(images) as coming, WriteBehind(outputs.write_image) as write_image:
        for group in grouped(coming):
            results = iter(tracker.find_all([image for image in group if isinstance(image, Frame)]))
            for image in group:
                if isinstance(image, ReadFailure):
                    failed.append(image)
                    if outputs.json:
                        outputs.json.write_failure(image)
                else:
                    result = next(results)
                    outputs.write_result(result)
                    write_image(image, result)
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
