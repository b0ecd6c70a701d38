"""Start of a run: open source, window, models and outputs in turn, then pass frames through them.

Outputs are opened last, so that no old results are replaced when something else does not open.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from functools import partial
from itertools import chain
from pathlib import Path

from tracker.cli.command import Command
from tracker.cli.inputs import names_folder, outputs_of
from tracker.cli.messages import say
from tracker.cli.notices import (
    tell_of_boxes,
    tell_of_pixels,
    tell_of_unlabelled_faces,
    warn_of_voices,
    with_left_out_notice,
)
from tracker.drawing.anonymise import Anonymiser
from tracker.errors import DisplayError, SourceError
from tracker.inference.detection.mediapipe import NOTICES
from tracker.inference.opening import open_blazeface
from tracker.runs.identity import RunIdentity
from tracker.runs.live_stats import LiveStats
from tracker.runs.loop import Run, run_frames, run_images, run_playback, run_video
from tracker.runs.observer import CompositeObserver, ItemObserver
from tracker.runs.outputs import OutputContext, Outputs, open_outputs, open_pictures
from tracker.runs.playback import Extent, Playback
from tracker.runs.resumable import resumable
from tracker.runs.view import View
from tracker.runs.window import Window
from tracker.sources.camera.mode import CameraMode, is_local_camera
from tracker.sources.camera.source import CameraSource
from tracker.sources.film import Film
from tracker.sources.images.source import FoundImages, ImageSource, look_for_images
from tracker.sources.left_out import left_out_text
from tracker.sources.opening import open_film
from tracker.sources.seeking import Seeker
from tracker.sources.trim import Trim
from tracker.system.files import make_folder
from tracker.system.libraries import conflicts
from tracker.system.signals import raise_swallowed
from tracker.system.terminal import progress_bar
from tracker.tracking.opening import OpenedTracker, keep_opencv_to_one_thread
from tracker.tracking.state import TrackerState
from tracker.types import Frame

# Where nobody named a camera and there is no screen, as on a server, there is often no camera either.
_OTHER_INPUTS = "; without a camera: tracker demo, or tracker FILE --no-window --json out.jsonl"


def start_camera(command: Command, name: str | None, mode: CameraMode) -> None:
    """Track the camera ``name``, the first one unless it is given, until the user quits or it ends."""
    device = name or "0"
    view = _open_view(command, mirrors=is_local_camera(device), advice="" if name else _OTHER_INPUTS)
    tracker = _open_tracker(command)
    idle = view.idle if view else lambda _: True
    frames = iter(command.stack.enter_context(CameraSource(device, mode, say, idle)))
    if (first := next(frames, None)) is None:
        return  # the user quit before the first frame
    anonymiser = _open_anonymiser(command, live=True)
    tell_of_pixels(command, first.source, first.image_hw, first.pixel_aspect)
    context = OutputContext(
        made_by=tracker.made_by,
        size=first.image_hw[::-1],
        mask=anonymiser.mask if anonymiser else None,
        style=command.style,
        pixel_aspect=first.pixel_aspect,
        scheme=tracker.scheme,
    )
    outputs = _open_outputs(command, context)
    stats = LiveStats(tracker.label)
    outputs = with_left_out_notice(command, outputs)
    run_frames(chain([first], frames), Run(tracker, outputs, anonymiser=anonymiser, view=view, stats=stats))


def start_videos(command: Command, films: Sequence[Path], part: Trim, fps: float | None) -> None:
    """Track a ``part`` of each of ``films``; ``--output`` of several is a folder, and of one may be.

    One that fails does not end the others. Raises :class:`~tracker.errors.SourceError` at the end if one did.
    """
    outputs: Sequence[Path | None] = [command.targets.output] * len(films)
    if (folder := command.targets.output) and (len(films) > 1 or names_folder(folder)):
        outputs = outputs_of(films, folder)
        make_folder(folder, "--output a folder")
    if len(films) == 1:
        start_video(
            replace(command, targets=replace(command.targets, output=outputs[0])), films[0], part, fps
        )
        return
    failed = 0
    for path, output in zip(films, outputs, strict=True):
        try:
            with ExitStack() as stack:
                targets = replace(command.targets, output=output)
                if not start_video(replace(command, stack=stack, targets=targets), path, part, fps):
                    return
        except SourceError as error:
            failed += 1
            say(str(error))
    if failed:
        raise SourceError(f"{failed} of {len(films)} videos could not be tracked, the others are done")


def start_video(command: Command, path: Path, part: Trim, fps: float | None) -> bool:
    """Track a ``part`` of the video ``path``, or of numbered pictures at ``fps``.

    Returns False if the user quit before its end.
    """
    source = command.stack.enter_context(open_film(path, part, fps))
    view = _open_view(command)
    tracker = _open_tracker(command)
    tell_of_boxes(command, tracker.boxes, frame_count=source.frame_count)
    anonymiser = _open_anonymiser(command)
    warn_of_voices(command, source)
    aspect = float(source.pixel_aspect)
    tell_of_pixels(command, source.name, source.size[::-1], aspect)
    shows_progress = command.shows_progress and (view is None or command.targets.any)
    identity = RunIdentity(
        "video", source.paths, {**tracker.made_by, "fps": fps, **asdict(part)}, tracker.scheme
    )
    with (
        resumable(command.targets.json, identity, command.resume) as progress,
        progress_bar(f"{path.name}, {tracker.label}", source.frame_count, shows_progress) as advance,
    ):
        if progress.has_ended:
            return True
        for _ in range(progress.done_before):
            advance()
        progress.restore(tracker)
        context = OutputContext(
            inputs=tuple(source.paths),
            made_by=tracker.made_by,
            append=progress.done_before > 0,
            size=source.size,
            like=source,
            mask=anonymiser.mask if anonymiser else None,
            style=command.style,
            pixel_aspect=aspect,
            scheme=tracker.scheme,
        )
        outputs = _open_outputs(command, context)
        outputs = with_left_out_notice(command, outputs)
        progress.begin()
        observer = CompositeObserver(ItemObserver(advance), progress.video_observer(tracker))
        run = Run(tracker, outputs, observer, anonymiser, view, LiveStats(tracker.label))
        ended = _run_film(command, source, fps, progress.remaining(source), run)
        if ended:
            progress.end()
        return ended


def start_images(command: Command, patterns: Sequence[str]) -> None:
    """Find the faces of the images that ``patterns`` name."""
    found = FoundImages.union(map(look_for_images, patterns))
    paths = found.paths
    title = patterns[0] if len(patterns) == 1 else f"{len(paths)} pictures"
    if found.left_out:
        say(left_out_text(found.left_out))
    tracker = _open_tracker(command)
    tell_of_boxes(command, tracker.boxes, [path.name for path in paths])
    anonymiser = _open_anonymiser(command)
    identity = RunIdentity("images", paths, tracker.made_by, tracker.scheme)
    # First: results may lie in the folder of the annotated images, which is made here.
    pictures = open_pictures(command.stack, command.targets, OutputContext(paths))
    with (
        resumable(command.targets.json, identity, command.resume) as progress,
        progress_bar(f"{title}, {tracker.label}", len(paths), command.shows_progress) as advance,
    ):
        if progress.has_ended:
            return
        for _ in range(progress.done_before):
            advance()
        append = progress.done_before > 0
        context = OutputContext(
            paths,
            tracker.made_by,
            append,
            style=command.style,
            upright_labels=command.upright_labels,
            scheme=tracker.scheme,
        )
        outputs = open_outputs(command.stack, command.targets, context, pictures)
        outputs = with_left_out_notice(command, outputs, stills=True)
        progress.begin()
        observer = CompositeObserver(ItemObserver(advance), progress.images_observer())
        source = ImageSource(tuple(progress.remaining(paths)))
        try:
            run_images(source, Run(tracker, outputs, observer, anonymiser), progress.failures_before)
        finally:
            tell_of_unlabelled_faces(outputs)
        progress.end()


def _open_outputs(command: Command, context: OutputContext) -> Outputs:
    raise_swallowed()
    pictures = open_pictures(command.stack, command.targets, context)
    return open_outputs(command.stack, command.targets, context, pictures)


def _open_tracker(command: Command) -> OpenedTracker:
    for line in conflicts(harmless=False):
        say(line)
    if command.tracker.detector == "mediapipe" and importlib.util.find_spec("mediapipe"):
        for notice in NOTICES:
            say(notice)
    keep_opencv_to_one_thread()
    tracker = command.stack.enter_context(command.tracker.open())
    raise_swallowed()
    return tracker


def _open_view(command: Command, mirrors: bool = False, advice: str = "") -> View | None:
    """Open the window, if it is wanted, mirrored as the user says, or else as ``mirrors`` says.

    Where there is no display, ``advice`` follows the remedy.
    """
    if not command.shown:
        return None
    try:
        window = command.stack.enter_context(Window("tracker"))
    except DisplayError as error:
        more = "" if command.targets.any else " --json out.jsonl"  # without any output there is nothing to do
        raise DisplayError(f"{error}{more}{advice}") from error
    mirrored = mirrors if command.mirror is None else command.mirror
    return command.stack.enter_context(View(window, mirrored=mirrored, style=command.style))


def _run_film(command: Command, film: Film, fps: float | None, frames: Iterable[Frame], run: Run) -> bool:
    """Pass the ``frames`` of a film through ``run``; in a window without outputs the user may jump in it.

    Returns False if the user quit before the end.
    """
    if run.view is None:
        return run_video(frames, run)
    seeker = None if command.targets.any else Seeker(film, fps)
    forget = partial(run.tracker.restore, TrackerState())
    playback = Playback(frames, Extent.of(film), seeker, forget, film.close)
    run.view.control(playback)
    return run_playback(playback, run)


def _open_anonymiser(command: Command, live: bool = False) -> Anonymiser | None:
    """Open the anonymiser, if it is wanted; a ``live`` one keeps up with a camera."""
    if not command.anonymise:
        return None
    if command.mask_scale < 1:
        say(f"--mask-scale {command.mask_scale:g} covers less than a head: hair, ears and chin may show")
    detector = open_blazeface(command.tracker.threads)
    return Anonymiser(command.anonymise, detector, thorough=not live, mask_scale=command.mask_scale)
