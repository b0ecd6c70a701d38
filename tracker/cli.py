"""The command line: parsing, and wiring sources, the tracker of :mod:`tracker.opening` and outputs together.

Nothing heavy is imported before a command runs, so that ``--help`` answers at once.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import typer

from tracker.camera_mode import is_local_camera
from tracker.cli_batch import batch
from tracker.cli_bench import bench
from tracker.errors import ReaderGoneError, TrackerError
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
    Osc,
    Output,
    Resume,
    Size,
    Smoothing,
    Threads,
    Version,
    Video,
    VirtualCamera,
    camera_mode,
    check_resume,
)

if TYPE_CHECKING:
    from tracker.app import Hud, Outputs, View
    from tracker.camera_mode import CameraMode
    from tracker.opening import OpenedTracker
    from tracker.sources import VideoSource

EXIT_ERROR = 1
STDOUT = Path("-")

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
    resume: Resume = False,
    osc: Osc = None,
    virtual_camera: VirtualCamera = None,
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
        if output or json or csv or osc or virtual_camera:
            raise typer.BadParameter("--camera list prints and writes no files; leave the outputs out")
        _list_cameras()
        return
    check_resume(resume, camera is None and bool(video or images), json, (output, csv, osc, virtual_camera))
    shown = not no_window and images is None
    if not shown and not (output or json or csv or osc or virtual_camera):
        raise typer.BadParameter("nothing to do: without a window give --output, --json or another output")
    if images is not None and virtual_camera:
        raise typer.BadParameter("--virtual-camera shows a camera or a video, not --images")
    if "" in (camera, images, osc, virtual_camera) or STDOUT in (output, csv):
        raise typer.BadParameter("an empty name, or - for a file; only --json - is standard output")
    files = [
        Path("/dev/stdout" if path == STDOUT else path).resolve() for path in (output, json, csv) if path
    ]
    if len(set(files)) < len(files):
        raise typer.BadParameter("--output, --json and --csv need a file each")

    with interruptible(), ExitStack() as stack:
        run = _Run(stack, output, json, csv, osc, virtual_camera, shown, resume)
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


app.command()(batch)
app.command()(bench)


_Build = Callable[[], "tuple[OpenedTracker, Hud]"]


class _Run:
    """Opens source, screen, model and outputs in turn, then runs: no output is touched in vain."""

    def __init__(
        self,
        stack: ExitStack,
        output: Path | None,
        json: Path | None,
        csv: Path | None,
        osc: str | None,
        virtual_camera: str | None,
        shown: bool,
        resume: bool,
    ) -> None:
        from tracker.stdout import StandardOutput

        self._stack = stack
        self._output = output
        # Taken before anything is opened: what libraries print then is not to get into the results.
        self._json = stack.enter_context(StandardOutput()) if json == STDOUT else json
        self._csv = csv
        self._osc = osc
        self._virtual_camera = virtual_camera
        self._shown = shown
        self._resume = resume
        self._has_bar = not (isinstance(self._json, StandardOutput) and self._json.is_terminal)

    def camera(self, device: str, mode: CameraMode, build: _Build) -> None:
        from tracker.app import run_frames
        from tracker.camera import CameraSource

        view = self._view(mirrored=is_local_camera(device))
        tracker, hud = build()
        idle = view.idle if view else lambda _: True
        frames = iter(self._stack.enter_context(CameraSource(device, mode, _say, idle)))
        if (first := next(frames, None)) is None:
            return  # the user left before there was a picture
        outputs = self._outputs([], **self._pictures(first.image_hw[::-1]))
        run_frames(chain([first], frames), tracker, outputs, hud, view)

    def video(self, path: Path, build: _Build) -> None:
        from tracker.app import run_video
        from tracker.progress import progress_bar
        from tracker.resumable import resumable
        from tracker.sources import VideoSource

        source = self._stack.enter_context(VideoSource(path))
        view = self._view()
        tracker, hud = build()
        with (
            resumable(self._json, self._resume, "video", [path], tracker) as run,
            progress_bar(f"{path.name}, {hud.label}", source.frame_count, self._has_bar) as advance,
        ):
            if run.has_ended:
                return
            run.skip(advance)
            run.resumed(tracker)
            outputs = self._outputs([path], run.goes_on, **self._pictures(source.size, source))
            on_frame = _both(advance, lambda: run.frame_done(tracker))
            run.complete = run_video(run.rest(source), tracker, outputs, hud, view, on_frame)

    def images(self, pattern: str, build: _Build) -> None:
        from tracker.app import run_images
        from tracker.images import ImageSource, find_images
        from tracker.progress import progress_bar
        from tracker.resumable import resumable
        from tracker.sinks import ImageSink

        paths = find_images(pattern)
        tracker, hud = build()
        sink = self._stack.enter_context(ImageSink(self._output, paths)) if self._output else None
        with (
            resumable(self._json, self._resume, "images", paths, tracker) as run,
            progress_bar(f"{pattern}, {hud.label}", len(paths), self._has_bar) as advance,
        ):
            if run.has_ended:
                return
            run.skip(advance)
            outputs = self._outputs(paths, run.goes_on, images=sink)
            rest = ImageSource(tuple(run.rest(paths)))
            run_images(rest, tracker, outputs, _both(advance, run.image_done), run.group_done, run.failures)

    def _pictures(self, size: tuple[int, int], like: VideoSource | None = None) -> dict[str, Any]:
        """Where moving pictures of ``size`` (width, height) go, ``like`` the video that they come from."""
        from tracker.live_video import LiveVideoSink
        from tracker.sinks import VideoSink
        from tracker.virtual_camera import VirtualCamera

        pictures: dict[str, Any] = {}
        if self._virtual_camera:
            fps = float(like.fps) if like else 30.0
            camera = VirtualCamera(self._virtual_camera, size, fps, paced=like is not None)
            pictures["camera"] = self._stack.enter_context(camera)
        if self._output:
            video = VideoSink(self._output, like) if like else LiveVideoSink(self._output)
            pictures["video"] = self._stack.enter_context(video)
        return pictures

    def _outputs(self, inputs: Sequence[Path], append: bool = False, **sinks: Any) -> Outputs:
        from tracker.app import Outputs
        from tracker.osc_sink import OscSink
        from tracker.sinks import CsvSink, JsonSink

        osc = self._stack.enter_context(OscSink(self._osc)) if self._osc else None
        json = self._stack.enter_context(JsonSink(self._json, inputs, append)) if self._json else None
        csv = self._stack.enter_context(CsvSink(self._csv, inputs)) if self._csv else None
        return Outputs(json, csv, osc=osc, **sinks)

    def _view(self, mirrored: bool = False) -> View | None:
        if not self._shown:
            return None
        from tracker.app import View
        from tracker.window import Window

        window = self._stack.enter_context(Window("tracker"))
        return self._stack.enter_context(View(window, mirrored=mirrored))


def _both(first: Callable[[], None], second: Callable[[], None]) -> Callable[[], None]:
    def call() -> None:
        first()
        second()

    return call


def _say(line: str) -> None:
    typer.echo(f"tracker: {line}", err=True)


def _list_cameras() -> None:
    from tracker.devices import describe_cameras, list_cameras

    typer.echo("\n".join(describe_cameras(list_cameras())))


def _tracker_builder(
    stack: ExitStack,
    model: str,
    backend: str,
    detector: Literal["blazeface", "mediapipe"],
    threads: int,
    max_faces: int,
    smoothing: Literal["off", "low", "high"],
) -> _Build:
    def build() -> tuple[OpenedTracker, Hud]:
        from tracker.app import Hud
        from tracker.detection.mediapipe import USAGE_NOTICE
        from tracker.opening import open_tracker

        if detector == "mediapipe" and importlib.util.find_spec("mediapipe"):
            _say(USAGE_NOTICE)
        tracker = stack.enter_context(
            open_tracker(model, backend, detector, threads=threads, max_faces=max_faces, smoothing=smoothing)
        )
        return tracker, Hud(tracker.label)

    return build


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
    except ReaderGoneError:  # as in `tracker --json - | head -1`: they have what they wanted
        sys.exit(0)
    except TrackerError as error:
        typer.echo(f"tracker: {error}", err=True)
        sys.exit(EXIT_ERROR)
    except OSError as error:  # what no module foresaw: a full standard output, a working folder that is gone
        typer.echo(f"tracker: {error.strerror or error}: {error.filename or 'standard output'}", err=True)
        sys.exit(EXIT_ERROR)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
