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
from tracker.cli_bench import bench
from tracker.cli_plot import plot
from tracker.errors import ReaderGoneError, TrackerError
from tracker.interrupts import EXIT_INTERRUPTED, interruptible
from tracker.numbered import is_sequence
from tracker.options import (
    Anonymise,
    Backend,
    Camera,
    Csv,
    Detector,
    End,
    Every,
    Fourcc,
    Fps,
    Images,
    Json,
    Labels,
    MaxFaces,
    Model,
    NoWindow,
    OpenFace,
    Osc,
    Output,
    Parquet,
    Size,
    Smoothing,
    Start,
    Threads,
    Version,
    Video,
    VirtualCamera,
    camera_mode,
    refuse_lost_options,
    trim,
)
from tracker.output_files import STDOUT, OutputFiles
from tracker.text import printable

if TYPE_CHECKING:
    from tracker.app import Outputs, View
    from tracker.camera_mode import CameraMode
    from tracker.hud import Hud
    from tracker.opening import OpenedTracker
    from tracker.trim import Trim

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
    start: Start = 0.0,
    end: End = None,
    every: Every = 1,
    images: Images = None,
    output: Output = None,
    json: Json = None,
    csv: Csv = None,
    openface: OpenFace = None,
    parquet: Parquet = None,
    labels: Labels = None,
    osc: Osc = None,
    virtual_camera: VirtualCamera = None,
    anonymise: Anonymise = None,
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
        refuse_lost_options(context)
        return
    if sum(source is not None for source in (camera, video, images)) > 1:
        raise typer.BadParameter("give only one of --camera, --video and --images")
    part = trim(video, start, end, every)
    film_fps = fps if video is not None and is_sequence(video) else None
    device = None if video is not None or images is not None else camera or "0"
    mode = camera_mode(device, size, None if film_fps else fps, fourcc)
    files = OutputFiles(output, json, csv, openface, parquet, labels, osc, virtual_camera, anonymise)
    if camera == "list":
        if files.any:
            raise typer.BadParameter("--camera list prints and writes no files; leave the outputs out")
        _list_cameras()
        return
    if "" in (camera, images):
        raise typer.BadParameter("an empty name; leave the option out, or say which")
    shown = not no_window and images is None
    files.check(images is not None, shown)

    with interruptible(), ExitStack() as stack:
        run = _Run(stack, files, threads, shown)
        build = _tracker_builder(stack, model, backend, detector, threads, max_faces, smoothing)
        if images is not None:
            run.images(images, build)
        elif video is not None:
            run.video(video, part, film_fps, build)
        else:
            run.camera(camera or "0", mode, build)


@app.command()
def info() -> None:
    """Say what works here: backends that really open, models with their hashes, cameras, versions."""
    from tracker.info import describe

    with interruptible():
        typer.echo(describe())


app.command()(bench)
app.command()(plot)


_Build = Callable[[], "tuple[OpenedTracker, Hud]"]


class _Run:
    """Opens source, screen, model and outputs in turn, then runs: no output is touched in vain."""

    def __init__(self, stack: ExitStack, files: OutputFiles, threads: int, shown: bool) -> None:
        from tracker.stdout import StandardOutput

        self._stack = stack
        self._files = files
        self._threads = threads
        # Taken before anything is opened: what libraries print then is not to get into the results.
        self._json = stack.enter_context(StandardOutput()) if files.json == STDOUT else files.json
        self._shown = shown
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
        hider = self._files.anonymiser(self._threads, live=True)
        pictures = self._files.open_pictures(self._stack, first.image_hw[::-1], None, hider)
        outputs = self._outputs([], tracker, **pictures)
        run_frames(chain([first], frames), tracker, outputs, hud, view, anonymiser=hider)

    def video(self, path: Path, part: Trim, fps: float | None, build: _Build) -> None:
        from tracker.app import run_frames
        from tracker.progress import progress_bar
        from tracker.sequence import open_film

        source = self._stack.enter_context(open_film(path, part, fps))
        view = self._view()
        tracker, hud = build()
        hider = self._files.anonymiser(self._threads, live=False)
        if hider and self._files.output and source.has_audio:
            _say("the sound is kept as it is: voices can be recognised")
        pictures = self._files.open_pictures(self._stack, source.size, source, hider)
        outputs = self._outputs([path], tracker, **pictures)
        with progress_bar(f"{path.name}, {hud.label}", source.frame_count, self._has_bar) as advance:
            run_frames(source, tracker, outputs, hud, view, advance, hider)

    def images(self, pattern: str, build: _Build) -> None:
        from tracker.app import run_images
        from tracker.images import ImageSource, find_images
        from tracker.label_sink import PtsSink
        from tracker.progress import progress_bar
        from tracker.sinks import ImageSink

        paths = find_images(pattern)
        tracker, hud = build()
        folder, hider = self._files.output, self._files.anonymiser(self._threads, live=False)
        sink = self._stack.enter_context(ImageSink(folder, paths)) if folder else None
        outputs = self._outputs(paths, tracker, images=sink)
        with progress_bar(f"{pattern}, {hud.label}", len(paths), self._has_bar) as advance:
            try:
                run_images(ImageSource(paths), tracker, outputs, advance, hider)
            finally:
                if isinstance(outputs.labels, PtsSink) and (more := outputs.labels.left_out):
                    _say(f"a .pts holds one face: {more} more are in none of them; --labels FILE.xml has all")

    def _outputs(self, inputs: Sequence[Path], tracker: OpenedTracker, **pictures: Any) -> Outputs:
        return self._files.open(self._stack, self._json, inputs, tracker.made_by, **pictures)

    def _view(self, mirrored: bool = False) -> View | None:
        if not self._shown:
            return None
        from tracker.app import View
        from tracker.window import Window

        window = self._stack.enter_context(Window("tracker"))
        return self._stack.enter_context(View(window, mirrored=mirrored))


def _say(line: str) -> None:
    typer.echo(f"tracker: {printable(line)}", err=True)


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
        from tracker.detection.mediapipe import USAGE_NOTICE
        from tracker.hud import Hud
        from tracker.opening import open_tracker

        if detector == "mediapipe" and importlib.util.find_spec("mediapipe"):
            _say(USAGE_NOTICE)
        tracker = stack.enter_context(
            open_tracker(model, backend, detector, threads=threads, max_faces=max_faces, smoothing=smoothing)
        )
        return tracker, Hud(tracker.label)

    return build


def main() -> None:
    """Entry point: exit code 0 done or quit, 1 one-line error, 2 usage, 130 Ctrl-C."""
    try:
        app()
    except ReaderGoneError:  # as in `tracker --json - | head -1`: they have what they wanted
        sys.exit(0)
    except TrackerError as error:
        _say(str(error))
        sys.exit(EXIT_ERROR)
    except OSError as error:  # what no module foresaw: a full standard output, a working folder that is gone
        _say(f"{error.strerror or error}: {error.filename or 'standard output'}")
        sys.exit(EXIT_ERROR)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
