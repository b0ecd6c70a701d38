"""Start of a run: open source, window, models and outputs in turn, then pass frames through them.

Outputs are opened last, so that no old results are replaced when something else does not open.
"""

from __future__ import annotations

import importlib.util
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

from tracker.cli.messages import say
from tracker.drawing.anonymise import Anonymiser, Mode
from tracker.inference.detection.mediapipe import USAGE_NOTICE
from tracker.inference.opening import open_blazeface
from tracker.runs.identity import RunIdentity
from tracker.runs.live_stats import LiveStats
from tracker.runs.loop import Run, run_frames, run_images, run_video
from tracker.runs.observer import CompositeObserver, ItemObserver
from tracker.runs.outputs import OutputContext, Outputs, open_outputs, open_pictures
from tracker.runs.resumable import resumable
from tracker.runs.targets import OutputTargets
from tracker.runs.view import View
from tracker.runs.window import Window
from tracker.sinks.labels import PtsSink
from tracker.sinks.video.formats import holds_sound
from tracker.sources.camera.mode import CameraMode, is_local_camera
from tracker.sources.camera.source import CameraSource
from tracker.sources.film import Film
from tracker.sources.images.source import ImageSource, find_images
from tracker.sources.opening import open_film
from tracker.sources.trim import Trim
from tracker.system.stdout import StandardOutput
from tracker.system.terminal import progress_bar
from tracker.tracking.opening import OpenedTracker, TrackerOptions


@dataclass(frozen=True)
class Command:
    """Options that runs over all kinds of sources share; everything opened is closed with ``stack``."""

    stack: ExitStack
    tracker: TrackerOptions
    targets: OutputTargets
    anonymise: Mode | None
    shown: bool
    resume: bool

    @property
    def shows_progress(self) -> bool:
        """False if results go to a terminal, where a progress bar would be drawn over them."""
        json = self.targets.json
        return not (isinstance(json, StandardOutput) and json.is_terminal)


def start_camera(command: Command, device: str, mode: CameraMode) -> None:
    """Track the camera ``device`` until the user quits or it ends."""
    view = _open_view(command, mirrored=is_local_camera(device))
    tracker = _open_tracker(command)
    idle = view.idle if view else lambda _: True
    frames = iter(command.stack.enter_context(CameraSource(device, mode, say, idle)))
    if (first := next(frames, None)) is None:
        return  # the user quit before the first frame
    anonymiser = _open_anonymiser(command, live=True)
    context = OutputContext(
        made_by=tracker.made_by, size=first.image_hw[::-1], delayed=command.anonymise == "blur"
    )
    outputs = _open_outputs(command, context)
    stats = LiveStats(tracker.label)
    run_frames(chain([first], frames), Run(tracker, outputs, anonymiser=anonymiser, view=view, stats=stats))


def start_video(command: Command, path: Path, part: Trim, fps: float | None) -> None:
    """Track a ``part`` of the video ``path``, or of numbered pictures at ``fps``."""
    source = command.stack.enter_context(open_film(path, part, fps))
    view = _open_view(command)
    tracker = _open_tracker(command)
    anonymiser = _open_anonymiser(command)
    _warn_of_voices(command, source)
    identity = RunIdentity("video", source.paths, {**tracker.made_by, "fps": fps, **asdict(part)})
    with (
        resumable(command.targets.json, identity, command.resume) as progress,
        progress_bar(f"{path.name}, {tracker.label}", source.frame_count, command.shows_progress) as advance,
    ):
        if progress.has_ended:
            return
        for _ in range(progress.done_before):
            advance()
        progress.restore(tracker)
        context = OutputContext(
            inputs=tuple(source.paths),
            made_by=tracker.made_by,
            append=progress.done_before > 0,
            size=source.size,
            like=source,
            delayed=command.anonymise == "blur",
        )
        outputs = _open_outputs(command, context)
        progress.begin()
        observer = CompositeObserver(ItemObserver(advance), progress.video_observer(tracker))
        run = Run(tracker, outputs, observer, anonymiser, view, LiveStats(tracker.label))
        if run_video(progress.remaining(source), run):
            progress.end()


def start_images(command: Command, pattern: str) -> None:
    """Find the faces of the images that ``pattern`` names."""
    paths = find_images(pattern)
    tracker = _open_tracker(command)
    anonymiser = _open_anonymiser(command)
    identity = RunIdentity("images", paths, tracker.made_by)
    # First: results may lie in the folder of the annotated images, which is made here.
    pictures = open_pictures(command.stack, command.targets, OutputContext(paths))
    with (
        resumable(command.targets.json, identity, command.resume) as progress,
        progress_bar(f"{pattern}, {tracker.label}", len(paths), command.shows_progress) as advance,
    ):
        if progress.has_ended:
            return
        for _ in range(progress.done_before):
            advance()
        context = OutputContext(paths, tracker.made_by, append=progress.done_before > 0)
        outputs = open_outputs(command.stack, command.targets, context, pictures)
        progress.begin()
        observer = CompositeObserver(ItemObserver(advance), progress.images_observer())
        source = ImageSource(tuple(progress.remaining(paths)))
        try:
            run_images(source, Run(tracker, outputs, observer, anonymiser), progress.failures_before)
        finally:
            _tell_of_unlabelled_faces(outputs)
        progress.end()


def _open_outputs(command: Command, context: OutputContext) -> Outputs:
    pictures = open_pictures(command.stack, command.targets, context)
    return open_outputs(command.stack, command.targets, context, pictures)


def _open_tracker(command: Command) -> OpenedTracker:
    if command.tracker.detector == "mediapipe" and importlib.util.find_spec("mediapipe"):
        say(USAGE_NOTICE)
    return command.stack.enter_context(command.tracker.open())


def _open_view(command: Command, mirrored: bool = False) -> View | None:
    if not command.shown:
        return None
    window = command.stack.enter_context(Window("tracker"))
    return command.stack.enter_context(View(window, mirrored=mirrored))


def _open_anonymiser(command: Command, live: bool = False) -> Anonymiser | None:
    """Open the anonymiser, if it is wanted; a ``live`` one keeps up with a camera."""
    if not command.anonymise:
        return None
    return Anonymiser(command.anonymise, open_blazeface(command.tracker.threads), thorough=not live)


def _warn_of_voices(command: Command, source: Film) -> None:
    output = command.targets.output
    if command.anonymise and output and source.has_audio and holds_sound(output):
        say("the sound is kept as it is: voices can be recognised")


def _tell_of_unlabelled_faces(outputs: Outputs) -> None:
    """Say how many faces are in no label file."""
    left_out = sum(sink.left_out for sink in outputs.results if isinstance(sink, PtsSink))
    if left_out:
        say(f"a .pts holds one face: {left_out} more are in none of them; --labels FILE.xml has all")
