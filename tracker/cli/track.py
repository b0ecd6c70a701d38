"""The command ``tracker``: parses options, checks usage, and starts a run over the source.

Modules that take long to import are imported after usage is checked.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

import typer

from tracker.cli.exit_codes import interruptible
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
)
from tracker.cli.usage import (
    STDOUT,
    check_outputs,
    check_resume,
    check_source,
    parse_camera_mode,
    parse_trim,
    refuse_lost_options,
)
from tracker.runs.targets import OutputTargets
from tracker.sources.patterns import is_numbered


def track(  # noqa: PLR0913 - options of the command line
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
    version: Version = False,  # noqa: ARG001 - its callback has printed it
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
    check_source(camera, video, images)
    part = parse_trim(video, start, end, every)
    sequence_fps = fps if video is not None and is_numbered(video) else None
    device = None if video is not None or images is not None else camera or "0"
    mode = parse_camera_mode(device, size, None if sequence_fps else fps, fourcc)
    targets = OutputTargets(
        output=output,
        json=json,
        csv=csv,
        openface=openface,
        parquet=parquet,
        labels=labels,
        osc=osc,
        virtual_camera=virtual_camera,
    )
    if camera == "list":
        if targets.any:
            raise typer.BadParameter("--camera list prints and writes no files; leave the outputs out")
        _list_cameras()
        return
    if "" in (camera, images):
        raise typer.BadParameter("an empty name; leave the option out, or say which")
    if resume:
        check_resume(device is None, targets)
    shown = not no_window and images is None
    check_outputs(targets, anonymise is not None, images is not None, shown)

    with interruptible(), ExitStack() as stack:
        if json == STDOUT:
            # Taken first: what libraries print while they are opened must not get into the results.
            from tracker.system.stdout import StandardOutput

            targets = replace(targets, json=stack.enter_context(StandardOutput()))

        from tracker.cli.start import Command, start_camera, start_images, start_video
        from tracker.tracking.opening import TrackerOptions

        options = TrackerOptions(model, backend, detector, threads, max_faces, smoothing)
        command = Command(stack, options, targets, anonymise, shown, resume)
        if images is not None:
            start_images(command, images)
        elif video is not None:
            start_video(command, video, part, sequence_fps)
        else:
            start_camera(command, camera or "0", mode)


def _list_cameras() -> None:
    from tracker.sources.camera.devices import describe_cameras, list_cameras

    typer.echo("\n".join(describe_cameras(list_cameras())))
