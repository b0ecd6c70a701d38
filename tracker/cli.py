"""The command line: parsing, and the only place that wires concrete classes together.

Nothing heavy is imported before a command runs, so that ``--help`` answers at once.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tracker.camera_mode import is_local_camera
from tracker.cli_bench import bench
from tracker.errors import TrackerError
from tracker.interrupts import EXIT_INTERRUPTED, interruptible
from tracker.options import (
    Backend,
    Camera,
    Csv,
    Detector,
    Fourcc,
    Fps,
    Images,
    Json,
    MaxFaces,
    Model,
    NoWindow,
    Output,
    Size,
    Smoothing,
    Threads,
    Version,
    Video,
    camera_mode,
)

if TYPE_CHECKING:
    from tracker.app import Hud, Outputs, View
    from tracker.camera_mode import CameraMode
    from tracker.detection import FaceDetector
    from tracker.pipeline import FaceTracker

EXIT_ERROR = 1

app = typer.Typer(
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def track(
    context: typer.Context,
    camera: Camera = None,
    size: Size = None,
    fps: Fps = None,
    fourcc: Fourcc = None,
    video: Video = None,
    images: Images = None,
    output: Output = None,
    json: Json = None,
    csv: Csv = None,
    model: Model = "resnet18",
    backend: Backend = "auto",
    detector: Detector = "blazeface",
    threads: Threads = 0,
    max_faces: MaxFaces = 8,
    smoothing: Smoothing = "low",
    no_window: NoWindow = False,
    version: Version = False,  # noqa: ARG001 - its callback has answered already
) -> None:
    """Track 68 facial landmarks in real time, offline and private.

    `tracker` shows camera 0 with its landmarks. Keys: **q** or Esc quit, **s** snapshot, **r** record,
    **m** mirror, **p** points or lines.

    `tracker --video in.mp4 --output out.mp4 --json out.jsonl` tracks a file;
    `tracker --images photos/ --output marked/` treats pictures one by one.
    """
    if context.invoked_subcommand:
        _refuse_lost_options(context)
        return
    if sum(source is not None for source in (camera, video, images)) > 1:
        raise typer.BadParameter("give only one of --camera, --video and --images")
    mode = camera_mode(None if video is not None or images is not None else camera or "0", size, fps, fourcc)
    if camera == "list":
        if output or json or csv:
            raise typer.BadParameter("--camera list prints and writes no files; leave the outputs out")
        _list_cameras()
        return
    shown = not no_window and images is None
    if not shown and not (output or json or csv):
        raise typer.BadParameter("nothing to do: without a window give --output, --json or --csv")
    if "" in (camera, images) or Path("-") in (output, json, csv):
        raise typer.BadParameter("an empty name, or - for a file; standard output is /dev/stdout")
    files = [path.resolve() for path in (output, json, csv) if path]
    if len(set(files)) < len(files):
        raise typer.BadParameter("--output, --json and --csv need a file each")

    with interruptible(), ExitStack() as stack:
        run = _Run(stack, output, json, csv, shown)
        build = _tracker_builder(stack, model, backend, detector, threads, max_faces, smoothing)
        if images is not None:
            run.images(images, build)
        elif video is not None:
            run.video(video, build)
        else:
            run.camera(camera or "0", mode, build)


@app.command()
def info() -> None:
    """Say what works here: backends that really open, models with their hashes, cameras, versions."""
    from tracker.info import describe

    with interruptible():
        typer.echo(describe())


app.command()(bench)


class _Run:
    """Opens source, screen, model and outputs in turn, then runs: no output is touched in vain."""

    def __init__(
        self, stack: ExitStack, output: Path | None, json: Path | None, csv: Path | None, shown: bool
    ) -> None:
        self._stack = stack
        self._output = output
        self._json = json
        self._csv = csv
        self._shown = shown

    def camera(self, device: str, mode: CameraMode, build: _Build) -> None:
        from tracker.app import run_frames
        from tracker.camera import CameraSource
        from tracker.live_video import LiveVideoSink

        view = self._view(mirrored=is_local_camera(device))
        tracker, hud = build()
        idle = view.idle if view else lambda _: True
        source = self._stack.enter_context(CameraSource(device, mode, _say, idle))
        video = self._stack.enter_context(LiveVideoSink(self._output)) if self._output else None
        run_frames(source, tracker, self._outputs([], video=video), hud, view)

    def video(self, path: Path, build: _Build) -> None:
        from tracker.app import run_frames
        from tracker.progress import progress_bar
        from tracker.sinks import VideoSink
        from tracker.sources import VideoSource

        source = self._stack.enter_context(VideoSource(path))
        view = self._view()
        tracker, hud = build()
        video = self._stack.enter_context(VideoSink(self._output, like=source)) if self._output else None
        outputs = self._outputs([path], video=video)
        with progress_bar(f"{path.name}, {hud.label}", source.frame_count) as advance:
            run_frames(source, tracker, outputs, hud, view, advance)

    def images(self, pattern: str, build: _Build) -> None:
        from tracker.app import run_images
        from tracker.images import ImageSource, find_images
        from tracker.progress import progress_bar
        from tracker.sinks import ImageSink

        paths = find_images(pattern)
        tracker, hud = build()
        sink = self._stack.enter_context(ImageSink(self._output, paths)) if self._output else None
        outputs = self._outputs(paths, images=sink)
        with progress_bar(f"{pattern}, {hud.label}", len(paths)) as advance:
            run_images(ImageSource(paths), tracker, outputs, advance)

    def _outputs(self, inputs: Sequence[Path], **sinks: Any) -> Outputs:
        from tracker.app import Outputs
        from tracker.sinks import CsvSink, JsonSink

        json = self._stack.enter_context(JsonSink(self._json, inputs)) if self._json else None
        csv = self._stack.enter_context(CsvSink(self._csv, inputs)) if self._csv else None
        return Outputs(json, csv, **sinks)

    def _view(self, mirrored: bool = False) -> View | None:
        if not self._shown:
            return None
        from tracker.app import View
        from tracker.window import Window

        window = self._stack.enter_context(Window("tracker"))
        return self._stack.enter_context(View(window, mirrored=mirrored))


def _say(line: str) -> None:
    typer.echo(f"tracker: {line}", err=True)


def _list_cameras() -> None:
    from tracker.devices import describe_cameras, list_cameras

    typer.echo("\n".join(describe_cameras(list_cameras())))


_Build = Callable[[], "tuple[FaceTracker, Hud]"]


def _tracker_builder(
    stack: ExitStack, model: str, backend: str, detector: str, threads: int, max_faces: int, smoothing: str
) -> _Build:
    def build() -> tuple[FaceTracker, Hud]:
        from tracker.app import Hud
        from tracker.opening import open_landmarker
        from tracker.pipeline import FaceTracker, TrackerSettings
        from tracker.smoothing import PRESETS

        opened = open_landmarker(model, backend, threads, faces=max_faces)
        settings = TrackerSettings(max_faces=max_faces, smoothing=PRESETS[smoothing])
        tracker = FaceTracker(_open_detector(stack, detector, threads), opened.landmarker, settings)
        return tracker, Hud(f"{model} {opened.file.precision} on {opened.provider}")

    return build


def _open_detector(stack: ExitStack, name: str, threads: int) -> FaceDetector:
    if name != "mediapipe":
        from tracker.opening import open_blazeface

        return open_blazeface(threads)
    from tracker.detection.blazeface import BoxCorrection
    from tracker.detection.mediapipe import USAGE_NOTICE, MediaPipeDetector
    from tracker.weights import find_model

    if importlib.util.find_spec("mediapipe"):
        _say(USAGE_NOTICE)
    correction = BoxCorrection.from_meta(find_model("blazeface-short", "detector").meta)
    path = find_model("blazeface-short-tflite", "detector").verified()
    return stack.enter_context(closing(MediaPipeDetector(path, correction)))


def _refuse_lost_options(context: typer.Context) -> None:
    """Options before a command's name would be read here and never reach the command."""
    for name in context.params:
        source = context.get_parameter_source(name)
        if source and source.name == "COMMANDLINE":
            option, command = name.replace("_", "-"), context.invoked_subcommand
            raise typer.BadParameter(
                f"--{option} stands before {command}, which takes options after its name"
            )


def main() -> None:
    """Entry point: exit code 0 done or quit, 1 one-line error, 2 usage, 130 Ctrl-C."""
    try:
        app()
    except TrackerError as error:
        typer.echo(f"tracker: {error}", err=True)
        sys.exit(EXIT_ERROR)
    except OSError as error:  # what no module foresaw: a full standard output, a working folder that is gone
        typer.echo(f"tracker: {error.strerror or error}: {error.filename or 'standard output'}", err=True)
        sys.exit(EXIT_ERROR)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
