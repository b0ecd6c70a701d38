"""Loops over the frames of a camera, of a video, and over still images.

A loop gets a :class:`Run` of things that are open, and returns when the source ends or the user quits.
Whoever opened them closes them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tracker.drawing.anonymise import Anonymiser, Hidden
from tracker.drawing.heads import Head
from tracker.runs.live_stats import LiveStats
from tracker.runs.observer import NullObserver, RunObserver
from tracker.runs.outputs import Outputs
from tracker.runs.playback import Playback
from tracker.runs.read_ahead import ReadAhead, WriteBehind
from tracker.runs.view import View
from tracker.sources.images.source import ReadFailure, unreadable
from tracker.system.signals import raise_swallowed
from tracker.tracking.face_tracker import FaceTracker
from tracker.types import Frame, FrameResult

GROUP_IMAGES = 8
"""Still images whose faces are searched in one batch."""
_GROUP_PIXELS = 50_000_000

WritePicture = Callable[[Frame, FrameResult, tuple[Head, ...]], None]
"""Signature of :meth:`~tracker.runs.outputs.Outputs.write_picture`."""


@dataclass(frozen=True)
class Run:
    """Everything that a loop passes its frames through.

    With an ``anonymiser`` only anonymised pictures are shown and written. ``view`` shows each frame and lets
    the user quit. ``stats`` are measured for the view; images use neither of the two.
    """

    tracker: FaceTracker
    outputs: Outputs = field(default_factory=Outputs)
    observer: RunObserver = field(default_factory=NullObserver)
    anonymiser: Anonymiser | None = None
    view: View | None = None
    stats: LiveStats = field(default_factory=LiveStats)


def run_frames(frames: Iterable[Frame], run: Run) -> bool:
    """Track ``frames`` of a camera until they end or the user quits. Returns whether they ended."""
    return _run_frames(frames, run, run.outputs.write_picture)


def run_video(frames: Iterable[Frame], run: Run) -> bool:
    """As :func:`run_frames`, while threads read ``frames`` ahead and draw and write pictures behind.

    An error of ``frames`` is raised after the pictures of all frames before it are written. When a picture
    cannot be written, the results of a few more frames are.
    """
    with ReadAhead(frames) as coming, WriteBehind(run.outputs.write_picture) as write_behind:
        return _run_frames(coming, run, write_behind)


def run_playback(playback: Playback, run: Run) -> bool:
    """As :func:`run_video`, over a film that the keys of the window control.

    Returns False also when the user quits between two frames.
    """
    with playback, WriteBehind(run.outputs.write_picture) as write_behind:
        return _run_frames(playback, run, write_behind) and not playback.stopped


def run_images(
    images: Iterable[Frame | ReadFailure], run: Run, failed_before: Sequence[ReadFailure] = ()
) -> None:
    """Find the faces of each image on its own, those of a group of images in one batch.

    Threads read images ahead and write pictures behind. An image that cannot be read is written as a failure
    and the run goes on; at the end :class:`~tracker.errors.SourceError` counts all of them, with the
    failures of an earlier run in ``failed_before``.
    """
    failures, others = list(failed_before), False
    with ReadAhead(images) as coming, WriteBehind(run.outputs.write_picture) as write_behind:
        for group in grouped(coming):
            raise_swallowed()
            results = iter(run.tracker.find_all([image for image in group if isinstance(image, Frame)]))
            for image in group:
                if isinstance(image, ReadFailure):
                    failures.append(image)
                    run.outputs.write_failure(image)
                else:
                    others, result = True, next(results)
                    run.outputs.write_result(result)
                    write_behind(_anonymised_image(image, result, run.anonymiser), result, ())
                run.observer.item_done()
            run.observer.group_done(failures)
    if failures:
        raise unreadable(failures, others)


def grouped(images: Iterable[Frame | ReadFailure]) -> Iterator[list[Frame | ReadFailure]]:
    """Yield the images in groups to search together, limited in number and in pixels by memory.

    A group depends only on its own images and those after it.
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


class _StageTimer:
    """Stage times of one frame in milliseconds, those of the tracker included."""

    def __init__(self, tracker_ms: Mapping[str, float]) -> None:
        self.stage_ms = dict(tracker_ms)
        self._since_s = time.perf_counter()

    def end(self, stage: str) -> None:
        """Add ``stage``, which ran since the last stage ended."""
        now_s = time.perf_counter()
        self.stage_ms[stage] = 1000 * (now_s - self._since_s)
        self._since_s = now_s


def _run_frames(frames: Iterable[Frame], run: Run, write_picture: WritePicture) -> bool:
    for frame in frames:
        raise_swallowed()
        result = run.tracker.step(frame)
        timer = _StageTimer(result.stage_ms)
        run.outputs.write_result(result)
        shown = run.anonymiser.hide(frame, result) if run.anonymiser else Hidden(frame)
        write_picture(shown.frame, result, shown.newcomers)
        timer.end("write")
        if run.view:
            goes_on = run.view.show(shown.frame, result, run.stats)
            timer.end("show")
            run.stats.pace.update(frame, time.monotonic())
            if not goes_on:
                return False
        run.stats.loop.update(time.perf_counter(), timer.stage_ms)
        run.observer.item_done()
    return True


def _anonymised_image(image: Frame, result: FrameResult, anonymiser: Anonymiser | None) -> Frame:
    return anonymiser.hide_alone(image, result) if anonymiser else image
