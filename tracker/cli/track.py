"""The command ``tracker``: parses options, checks usage, and starts a run over the source.

Modules that take long to import are imported after usage is checked.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

import typer

from tracker.cli.drawing import check_mask_scale, check_style, has_pictures, parse_style
from tracker.cli.exit_codes import interruptible
from tracker.cli.extras import check_extras
from tracker.cli.inputs import Inputs, check_several_films, inputs_of
from tracker.cli.messages import show_result
from tracker.cli.options import (
    DEFAULT_MAX_FACES,
    Anonymise,
    Backend,
    Boxes,
    Camera,
    Csv,
    Detector,
    Draw,
    End,
    Every,
    Fourcc,
    Fps,
    Images,
    Json,
    LabelPixels,
    Labels,
    LabelsOnFaces,
    MaskScale,
    MaxFaces,
    MinFace,
    MinScore,
    Mirror,
    Model,
    NoWindow,
    Open,
    OpenFace,
    Osc,
    Output,
    Parquet,
    Paths,
    Quiet,
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
    check_boxes,
    check_detector,
    check_folder,
    check_one_picture,
    check_outputs,
    check_resume,
    check_source,
    check_viewer,
    parse_camera_mode,
    parse_trim,
)
from tracker.runs.targets import OutputTargets
from tracker.sources.patterns import is_numbered
from tracker.system.signals import raise_swallowed


def track(  # noqa: PLR0913 - options of the command line
    context: typer.Context,
    paths: Paths = None,
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
    label_pixels: LabelPixels = None,
    osc: Osc = None,
    virtual_camera: VirtualCamera = None,
    anonymise: Anonymise = None,
    mask_scale: MaskScale = None,
    draw: Draw = None,
    labels_on_faces: LabelsOnFaces = False,
    model: Model = "resnet18",
    backend: Backend = "auto",
    detector: Detector = "blazeface",
    boxes: Boxes = None,
    threads: Threads = 0,
    max_faces: MaxFaces = None,
    min_score: MinScore = 0.0,
    min_face: MinFace = 0.0,
    smoothing: Smoothing = "low",
    mirror: Mirror = None,
    no_window: NoWindow = False,
    open_result: Open = False,
    quiet: Quiet = False,
    version: Version = False,  # noqa: ARG001 - its callback has printed it
) -> None:
    """Track facial landmarks in real time, offline and private.

    `tracker` shows camera 0 with its landmarks. Keys: **q** or Esc quit, **s** snapshot, **r** record,
    **m** mirror, **p** next drawing, **i** times and scores, **f** full screen, **space** pause, **left** and
    **right** 5 seconds, **,** and **.** one frame, **h** help.

    - `tracker demo` shows what it does, without camera and screen;
    - `tracker in.mp4` shows a video, `tracker in.mp4 --output out.mp4 --csv out.csv` writes it, too;
    - `tracker photos --output marked` treats the pictures of a folder one by one;
    - `tracker batch videos --output results` tracks all below a folder on all cores.

    Existing outputs are replaced, except .pts labels. An input is never overwritten, and symbolic links are
    refused as outputs.
    """
    if context.invoked_subcommand:
        return
    names = paths or ()
    if "" in (camera, images):
        raise typer.BadParameter("the name is empty; give one, or leave the option out")
    check_source(names, camera, video, images)
    inputs = inputs_of(names) if names else Inputs((video,) if video else (), (images,) if images else ())
    part = parse_trim(bool(inputs.films), start, end, every)
    sequence_fps = fps if inputs.films and all(map(is_numbered, inputs.films)) else None
    device = camera or "0" if inputs.is_camera else None
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
            raise typer.BadParameter("--camera list only lists the cameras; leave the outputs out")
        _list_cameras()
        return
    if resume:
        check_resume(device is None, targets)
    is_pictures = bool(inputs.pictures)
    shown = not no_window and not is_pictures
    check_outputs(targets, anonymise is not None, is_pictures, shown)
    if mirror is not None and not shown:
        raise typer.BadParameter("--mirror is about the window, and none is shown; leave it out")
    style = parse_style(draw, labels_on_faces)
    check_style(draw is not None or labels_on_faces, style, anonymise, has_pictures(targets, shown))
    check_mask_scale(mask_scale, anonymise)
    check_viewer(open_result, targets)
    if len(inputs.pictures) == 1:
        check_one_picture(inputs.pictures[0], targets)
    if len(inputs.films) > 1:
        check_several_films(inputs, names, targets.single_files)
        check_folder(targets)
    check_detector(detector, max_faces)
    if boxes:
        check_boxes(detector, inputs)
    if label_pixels and not labels:
        raise typer.BadParameter("--label-pixels needs --labels")

    with interruptible(writes=targets.any), ExitStack() as stack:
        check_extras(targets)
        if json == STDOUT:
            # Taken first: what libraries print while they are opened must not get into the results.
            from tracker.system.stdout import StandardOutput

            targets = replace(targets, json=stack.enter_context(StandardOutput()))

        from tracker.cli.command import Command
        from tracker.cli.start import start_camera, start_images, start_videos
        from tracker.tracking.opening import TrackerOptions

        raise_swallowed()
        most = max_faces or DEFAULT_MAX_FACES
        options = TrackerOptions(
            model,
            backend,
            detector,
            threads=threads,
            max_faces=most,
            smoothing=smoothing,
            max_still_faces=max_faces,
            min_score=min_score,
            min_face=min_face,
            boxes=str(boxes) if boxes else None,
        )
        upright = label_pixels == "upright"
        command = Command(
            stack,
            options,
            targets,
            anonymise,
            shown,
            resume,
            upright_labels=upright,
            style=style,
            mirror=mirror,
            mask_scale=mask_scale or 1.0,
            quiet=quiet,
        )
        if inputs.pictures:
            start_images(command, inputs.pictures)
        elif inputs.films:
            start_videos(command, inputs.films, part, sequence_fps)
        else:
            start_camera(command, camera, mode)
    if open_result and output:
        show_result(output)


def _list_cameras() -> None:
    from tracker.sources.camera.devices import describe_cameras, list_cameras

    typer.echo("\n".join(describe_cameras(list_cameras())))
