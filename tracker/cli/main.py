"""The command line: parsing, and wiring sources, the tracker of :mod:`tracker.tracking.opening` and outputs
together.

Nothing heavy is imported before a command runs, so that ``--help`` answers at once.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

import typer

from tracker.cli.batch import batch
from tracker.cli.bench import bench
from tracker.cli.exit_codes import EXIT_ERROR, EXIT_INTERRUPTED, interruptible
from tracker.cli.options import (
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
    Resume,
    Size,
    Smoothing,
    Start,
    Threads,
    Version,
    Video,
    VirtualCamera,
    camera_mode,
    check_resume,
    refuse_lost_options,
    trim,
)
from tracker.cli.plot import plot
from tracker.cli.track import Build, Run, say
from tracker.errors import ReaderGoneError, TrackerError
from tracker.runs.outputs import OutputFiles
from tracker.sources.patterns import is_numbered

if TYPE_CHECKING:
    from tracker.runs.live_stats import Hud
    from tracker.tracking.opening import OpenedTracker, TrackerOptions

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
    resume: Resume = False,
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
    film_fps = fps if video is not None and is_numbered(video) else None
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
    others = (output, csv, openface, parquet, labels, osc, virtual_camera)
    check_resume(resume, camera is None and bool(video or images), json, others)
    shown = not no_window and images is None
    files.check(images is not None, shown)

    with interruptible(), ExitStack() as stack:
        run = Run(stack, files, threads, shown, resume)

        def options() -> TrackerOptions:
            from tracker.tracking.opening import TrackerOptions

            return TrackerOptions(model, backend, detector, threads, max_faces, smoothing)

        build = _tracker_builder(stack, options)
        if images is not None:
            run.images(images, build)
        elif video is not None:
            run.video(video, part, film_fps, build)
        else:
            run.camera(camera or "0", mode, build)


@app.command()
def info() -> None:
    """Say what works here: backends that really open, models with their hashes, cameras, versions."""
    from tracker.reports.info import describe

    with interruptible():
        typer.echo(describe())


app.command()(batch)
app.command()(bench)
app.command()(plot)


def _list_cameras() -> None:
    from tracker.sources.camera.devices import describe_cameras, list_cameras

    typer.echo("\n".join(describe_cameras(list_cameras())))


def _tracker_builder(stack: ExitStack, options: Callable[[], TrackerOptions]) -> Build:
    def build() -> tuple[OpenedTracker, Hud]:
        from tracker.inference.detection.mediapipe import USAGE_NOTICE
        from tracker.runs.live_stats import Hud

        wanted = options()
        if wanted.detector == "mediapipe" and importlib.util.find_spec("mediapipe"):
            say(USAGE_NOTICE)
        tracker = stack.enter_context(wanted.open())
        return tracker, Hud(tracker.label)

    return build


def main() -> None:
    """Entry point: exit code 0 done or quit, 1 one-line error, 2 usage, 130 Ctrl-C."""
    try:
        app()
    except ReaderGoneError:  # as in `tracker --json - | head -1`: they have what they wanted
        sys.exit(0)
    except TrackerError as error:
        say(str(error))
        sys.exit(EXIT_ERROR)
    except OSError as error:  # what no module foresaw: a full standard output, a working folder that is gone
        say(f"{error.strerror or error}: {error.filename or 'standard output'}")
        sys.exit(EXIT_ERROR)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
