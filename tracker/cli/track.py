"""What the command line does with a camera, a video or images. What is slow to import is imported there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tracker.runs.outputs import STDOUT, OutputFiles
from tracker.sources.camera.mode import is_local_camera
from tracker.system.terminal import printable

if TYPE_CHECKING:
    from tracker.runs.live_stats import Hud
    from tracker.runs.loop import Outputs, View
    from tracker.sources.camera.mode import CameraMode
    from tracker.sources.trim import Trim
    from tracker.tracking.opening import OpenedTracker

Build = Callable[[], "tuple[OpenedTracker, Hud]"]
"""Opens models when their turn comes."""


class Run:
    """Opens source, screen, model and outputs in turn, then runs: no output is touched in vain."""

    def __init__(self, stack: ExitStack, files: OutputFiles, threads: int, shown: bool, resume: bool) -> None:
        from tracker.system.stdout import StandardOutput

        self._stack = stack
        self._files = files
        self._threads = threads
        # Taken before anything is opened: what libraries print then is not to get into the results.
        self._json = stack.enter_context(StandardOutput()) if files.json == STDOUT else files.json
        self._shown = shown
        self._resume = resume
        self._has_bar = not (isinstance(self._json, StandardOutput) and self._json.is_terminal)

    def camera(self, device: str, mode: CameraMode, build: Build) -> None:
        from tracker.runs.loop import run_frames
        from tracker.sources.camera.source import CameraSource

        view = self._view(mirrored=is_local_camera(device))
        tracker, hud = build()
        idle = view.idle if view else lambda _: True
        frames = iter(self._stack.enter_context(CameraSource(device, mode, say, idle)))
        if (first := next(frames, None)) is None:
            return  # the user left before there was a picture
        hider = self._files.anonymiser(self._threads, live=True)
        pictures = self._files.open_pictures(self._stack, first.image_hw[::-1], None, hider)
        outputs = self._outputs([], tracker, **pictures)
        run_frames(chain([first], frames), tracker, outputs, hud, view, anonymiser=hider)

    def video(self, path: Path, part: Trim, fps: float | None, build: Build) -> None:
        from tracker.runs.loop import run_video
        from tracker.runs.resumable import resumable
        from tracker.sinks.video.formats import holds_sound
        from tracker.sources.opening import open_film
        from tracker.system.terminal import progress_bar

        source = self._stack.enter_context(open_film(path, part, fps))
        view = self._view()
        tracker, hud = build()
        hider = self._files.anonymiser(self._threads, live=False)
        if hider and self._files.output and source.has_audio and holds_sound(self._files.output):
            say("the sound is kept as it is: voices can be recognised")
        with (
            resumable(
                self._json, self._resume, "video", source.paths, tracker, fps=fps, **asdict(part)
            ) as run,
            progress_bar(f"{path.name}, {hud.label}", source.frame_count, self._has_bar) as advance,
        ):
            if run.has_ended:
                return
            run.skip(advance)
            run.resumed(tracker)
            pictures = self._files.open_pictures(self._stack, source.size, source, hider)
            outputs = self._outputs(source.paths, tracker, run.goes_on, **pictures)
            run.begin()
            on_frame = _both(advance, lambda: run.frame_done(tracker))
            run.complete = run_video(run.rest(source), tracker, outputs, hud, view, on_frame, hider)

    def images(self, pattern: str, build: Build) -> None:
        from tracker.runs.loop import run_images
        from tracker.runs.resumable import resumable
        from tracker.sinks.images import ImageSink
        from tracker.sinks.labels import PtsSink
        from tracker.sources.images.source import ImageSource, find_images
        from tracker.system.terminal import progress_bar

        paths = find_images(pattern)
        tracker, hud = build()
        folder, hider = self._files.output, self._files.anonymiser(self._threads, live=False)
        sink = self._stack.enter_context(ImageSink(folder, paths)) if folder else None
        with (
            resumable(self._json, self._resume, "images", paths, tracker) as run,
            progress_bar(f"{pattern}, {hud.label}", len(paths), self._has_bar) as advance,
        ):
            if run.has_ended:
                return
            run.skip(advance)
            outputs = self._outputs(paths, tracker, run.goes_on, images=sink)
            run.begin()
            rest, on_image = ImageSource(tuple(run.rest(paths))), _both(advance, run.image_done)
            try:
                run_images(rest, tracker, outputs, on_image, run.group_done, run.failures, hider)
            finally:
                if isinstance(outputs.labels, PtsSink) and (more := outputs.labels.left_out):
                    say(f"a .pts holds one face: {more} more are in none of them; --labels FILE.xml has all")

    def _outputs(
        self, inputs: Sequence[Path], tracker: OpenedTracker, append: bool = False, **pictures: Any
    ) -> Outputs:
        return self._files.open(self._stack, self._json, inputs, tracker.made_by, append, **pictures)

    def _view(self, mirrored: bool = False) -> View | None:
        if not self._shown:
            return None
        from tracker.runs.loop import View
        from tracker.runs.window import Window

        window = self._stack.enter_context(Window("tracker"))
        return self._stack.enter_context(View(window, mirrored=mirrored))


def _both(first: Callable[[], None], second: Callable[[], None]) -> Callable[[], None]:
    def call() -> None:
        first()
        second()

    return call


def say(line: str) -> None:
    """One line on stderr."""
    typer.echo(f"tracker: {printable(line)}", err=True)
